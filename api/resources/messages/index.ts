import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { listMessages, type MessageView } from '../../../operations/read/ledger-lists.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { problems } from '../../plugins/errors.ts';
import { isoTime, isoTimeOrNull, lineField, timeField } from '../../routes/fields.ts';
import { presentExternalId } from '../../routes/recovery/present.ts';
import { externalIdSchema } from '../../routes/recovery/schemas.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const state = z.enum(['claimed', 'sent', 'failed', 'unknown', 'skipped']);
const messageSchema = z
  .object({
    id: z.uuid().meta({ description: 'The `sub_id` of its links.' }),
    enrollment: z.uuid(),
    sequence: z.string(),
    step: z.string(),
    subject: z.object({ id: z.uuid(), kind: z.string(), external_ids: z.array(externalIdSchema) }),
    contact: z.uuid(),
    channel: z.string().nullable(),
    state,
    sentence: z.string().meta({ description: 'The same for people.' }),
    created_at: timeField,
    due_at: timeField.nullable(),
    claimed_at: timeField.nullable(),
    settled_at: timeField.nullable(),
    opened_at: timeField.nullable(),
    clicked_at: timeField.nullable(),
    in_doubt: z.boolean(),
    skip_reason: z.string().nullable(),
    variant: z.string().nullable(),
    language: z.string().nullable(),
    provider_message_id: z.string().nullable(),
    provider_response: z.string().nullable(),
  })
  .meta({ id: 'Message' });

const list = aList({
  name: 'messages',
  item: messageSchema,
  filters: {
    channel: lineField(40).optional(),
    state: state.optional(),
    contact: z.uuid().optional().meta({ description: 'To that person, under any of their contacts.' }),
    enrollment: z.uuid().optional(),
    step: lineField(100).optional(),
    since: z.iso.datetime({ offset: true }).optional().meta({ description: 'Made at that time or later.' }),
  },
});

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/messages',
    {
      schema: {
        summary: 'List messages, the newest first',
        description: 'The send ledger: one for each step of an enrollment that was decided to be sent or left out.',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor, since, ...filter } = request.query;
      const asked = { ...filter, sinceMs: since === undefined ? undefined : Date.parse(since) };
      return list.present(
        request.query.sort,
        await listMessages(deps, callerOf(request).tenantId, asked, pageWanted({ limit, sort, cursor })),
        present,
      );
    },
  );
};

const present = ({ row, enrollmentId, sequence, subject, sentence }: MessageView): z.input<typeof messageSchema> => ({
  ...{ id: row.id, enrollment: enrollmentId, sequence, step: row.stepId },
  subject: { id: subject.id, kind: subject.kind, external_ids: subject.externalIds.map(presentExternalId) },
  ...{ contact: row.contactId, channel: row.channel, state: row.state, sentence },
  created_at: isoTime(row.createdAt),
  due_at: isoTimeOrNull(row.dueAt),
  claimed_at: isoTimeOrNull(row.claimedAt),
  settled_at: isoTimeOrNull(row.settledAt),
  opened_at: isoTimeOrNull(row.openedAt),
  clicked_at: isoTimeOrNull(row.clickedAt),
  ...{ in_doubt: row.inDoubt, skip_reason: row.skipReason, variant: row.variant, language: row.language },
  ...{ provider_message_id: row.providerMessageId, provider_response: row.response },
});

export const resource: Resource = {
  tag: { name: 'messages', description: 'What was sent, left out, or may have been sent.' },
  guard: 'tenant',
  changes: null,
  routes,
};
