import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type AuditRow, listAudit } from '../../../operations/read/audit-log.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { problems } from '../../plugins/errors.ts';
import { isoTime, lineField, timeField } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const entrySchema = z
  .object({
    id: z.uuid(),
    at: timeField,
    actor: z.string().meta({ description: '`api_key:` and its id, `installation_key`, `temporal`, or the name of a tool.' }),
    key_name: z.string().nullable().meta({ description: 'Of the API key that did it; null: it was none.' }),
    action: z.string().meta({ examples: ['connection.change', 'enrollment.skip'] }),
    subject: z.string().nullable().meta({ description: 'The id of what it was done to; null: the store itself.' }),
    data: z.record(z.string(), z.unknown()).meta({ description: 'What was changed, without secrets.' }),
    request_id: z.string().nullable().meta({ description: '`X-Request-Id` of the request by which it was done; null: it was none.' }),
  })
  .meta({ id: 'AuditEntry' });

const list = aList({
  name: 'audit',
  item: entrySchema,
  filters: {
    actor: lineField(200).optional(),
    action: lineField(100).optional().meta({ description: 'One action, or all about a thing where it ends with a full stop: `connection.`.' }),
    subject: lineField(200).optional().meta({ description: 'The id of what it was done to.' }),
    since: timeField.optional(),
    request_id: lineField(200).optional().meta({ description: 'What was done by one request.' }),
  },
});

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/audit',
    {
      // It names what people did, and whom they let in.
      config: { permission: 'administer' },
      schema: {
        summary: 'List who changed what',
        description: 'Everything that was done by hand, by API or by command, the latest first.',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor, since, request_id: requestId, ...search } = request.query;
      const sinceMs = since === undefined ? undefined : Date.parse(since);
      return list.present(
        request.query.sort,
        await listAudit(deps, callerOf(request).tenantId, { ...search, sinceMs, requestId }, pageWanted({ limit, sort, cursor })),
        present,
      );
    },
  );
};

const present = ({ id, atMs, actor, keyName, action, subject, data, requestId }: AuditRow): z.input<typeof entrySchema> => ({
  ...{ id, at: isoTime(atMs), actor, key_name: keyName, action, subject, data, request_id: requestId },
});

export const resource: Resource = {
  tag: { name: 'audit', description: 'Who changed what.' },
  guard: 'tenant',
  changes: null,
  routes,
};
