import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type DecisionView, listDecisions } from '../../../operations/read/ledger-lists.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { problems } from '../../plugins/errors.ts';
import { isoTime, isoTimeOrNull, lineField, timeField } from '../../routes/fields.ts';
import { presentExternalId } from '../../routes/recovery/present.ts';
import { externalIdSchema } from '../../routes/recovery/schemas.ts';
import { gateSchema } from '../enrollments/schemas.ts';
import { presentWorth, worthSchema } from '../interventions/schemas.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const verdict = z.enum(['send', 'defer', 'hold', 'skip', 'stop']);
const decisionSchema = z
  .object({
    id: z.uuid(),
    at: timeField,
    enrollment: z.uuid(),
    contact: z.uuid().meta({ description: 'Whom it is about.' }),
    sequence: z.string(),
    version: z.int().meta({ description: 'The version of the sequence that decided.' }),
    step: z.string(),
    subject: z.object({ id: z.uuid(), kind: z.string(), external_ids: z.array(externalIdSchema) }),
    verdict,
    reason: z.string().meta({ description: 'Of `send`, the channel; else the gate.' }),
    until: timeField.nullable(),
    gates: z.array(gateSchema),
    sentence: z.string().meta({ description: 'The same for people.' }),
    worth: worthSchema.nullable().meta({ description: 'Of an action of an intervention: what it costs and is expected to bring; null: it is none.' }),
  })
  .meta({ id: 'Decision' });

const list = aList({
  name: 'decisions',
  item: decisionSchema,
  filters: {
    verdict: verdict.optional(),
    reason: lineField(100).optional(),
    contact: z.uuid().optional().meta({ description: 'About that person, under any of their contacts.' }),
    enrollment: z.uuid().optional(),
    sequence: lineField(100).optional().meta({ description: 'By its slug.' }),
    step: lineField(100).optional(),
    since: z.iso.datetime({ offset: true }).optional().meta({ description: 'Made at that time or later.' }),
  },
});

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/decisions',
    {
      schema: {
        summary: 'List what was decided about steps, the newest first',
        description: 'Each with every gate that was asked and what it looked at.',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor, since, ...filter } = request.query;
      const asked = { ...filter, sinceMs: since === undefined ? undefined : Date.parse(since) };
      return list.present(
        request.query.sort,
        await listDecisions(deps, callerOf(request).tenantId, asked, pageWanted({ limit, sort, cursor })),
        present,
      );
    },
  );
};

const present = ({ row, contactId, version, enrollmentId, sequence, subject, sentence, worth }: DecisionView): z.input<typeof decisionSchema> => ({
  ...{ id: row.id, at: isoTime(row.at), enrollment: enrollmentId, contact: contactId, sequence, version, step: row.stepId },
  subject: { id: subject.id, kind: subject.kind, external_ids: subject.externalIds.map(presentExternalId) },
  ...{
    verdict: row.verdict,
    reason: row.reason,
    until: isoTimeOrNull(row.until),
    gates: row.checks,
    sentence,
    worth: worth === null ? null : presentWorth(worth),
  },
});

export const resource: Resource = {
  tag: { name: 'decisions', description: 'What was decided about each step, and why.' },
  guard: 'tenant',
  changes: null,
  routes,
};
