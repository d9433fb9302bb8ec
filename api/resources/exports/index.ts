import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { downloadExport, type ExportRow, listExports, readExport, requestExport } from '../../../operations/privacy/exports.ts';
import type { PersonDocument } from '../../../operations/privacy/gather.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, isoTime, isoTimeOrNull, timeField } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const exportSchema = z
  .object({
    id: z.uuid(),
    contact: z.uuid(),
    state: z.enum(['running', 'ready', 'expired']),
    origin: z.enum(['request', 'shop']).meta({ description: '`shop`: the shop passed on what its customer asked for.' }),
    requested_by: z.string(),
    requested_at: timeField,
    ready_at: timeField.nullable(),
    expires_at: timeField.nullable().meta({ description: 'Until then it can be downloaded; an erasure of the person ends it before.' }),
    rows: z.record(z.string(), z.int().nonnegative()).meta({ description: 'How many rows it has, by table.' }),
  })
  .meta({ id: 'PersonExport' });

const documentSchema = z
  .object({
    format: z.literal('rekindle-person/1'),
    person: z.uuid(),
    contacts: z.array(z.uuid()).meta({ description: 'Every contact that turned out to be this person.' }),
    gathered_at: timeField,
    tables: z.record(z.string(), z.array(z.record(z.string(), z.unknown()))).meta({
      description: 'Rows by the table that has them, as they are stored. Amounts are in minor units of their currency.',
    }),
    deliveries: z
      .array(z.object({ received_at: timeField, topic: z.string(), events: z.array(z.record(z.string(), z.unknown())) }))
      .meta({ description: 'What the store’s systems have reported about the person, event by event.' }),
  })
  .meta({ id: 'PersonDocument', description: 'Everything that is stored about a person.' });

const list = aList({ name: 'exports', item: exportSchema, filters: {} });

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.post(
    '/api/contacts/:id/export',
    {
      schema: {
        summary: 'Gather everything about a person',
        description:
          'In the background; `GET /api/exports/{id}/document` has it for seven days once it is ready. While one is being gathered, asking again answers with it.',
        params: idParams,
        response: { 202: exportSchema, ...problems(401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const wish = { tenantId: callerOf(request).tenantId, contactId: id, actor: actorOf(request), origin: 'request' as const };
      const row = isId(id) ? await requestExport(deps, wish) : null;
      return row === null ? problem(reply, 404, 'unknown_contact', 'No contact of yours has this id.') : reply.code(202).send(present(row));
    },
  );

  app.get(
    '/api/exports',
    {
      config: { permission: 'administer' },
      schema: { summary: 'List exports, the latest first', querystring: list.query, response: { 200: list.answer, ...problems(400, 401, 429, 503) } },
    },
    async (request) => {
      const { limit, sort, cursor } = request.query;
      return list.present(request.query.sort, await listExports(deps, callerOf(request).tenantId, pageWanted({ limit, sort, cursor })), present);
    },
  );

  app.get(
    '/api/exports/:id',
    {
      config: { permission: 'administer' },
      schema: { summary: 'Show an export', params: idParams, response: { 200: exportSchema, ...problems(401, 404, 429, 503) } },
    },
    async (request, reply) => {
      const { id } = request.params;
      const row = isId(id) ? await readExport(deps, callerOf(request).tenantId, id) : null;
      return row === null ? unknown(reply) : present(row);
    },
  );

  app.get(
    '/api/exports/:id/document',
    {
      config: { permission: 'administer' },
      schema: {
        summary: 'Download an export',
        description: 'Who downloads it is in the audit log.',
        params: idParams,
        response: { 200: documentSchema, ...problems(401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      if (!isId(id)) return unknown(reply);
      const found = await downloadExport(deps, { tenantId: callerOf(request).tenantId, exportId: id, actor: actorOf(request) });
      switch (found.kind) {
        case 'document':
          return reply.header('content-disposition', `attachment; filename="person-${id}.json"`).send(presentDocument(found.document));
        case 'unknown':
          return unknown(reply);
        case 'running':
          return problem(reply.header('retry-after', '2'), 409, 'export_running', 'It is still being gathered. Ask again in a moment.');
        case 'expired':
          return problem(reply, 409, 'export_expired', 'Its time is over, or the person was erased. Ask for another export.');
      }
    },
  );
};

const unknown = (reply: Parameters<typeof problem>[0]) => problem(reply, 404, 'unknown_export', 'No export of yours has this id.');

const presentDocument = ({ deliveries, ...document }: PersonDocument): z.input<typeof documentSchema> => ({
  ...document,
  deliveries: deliveries.map(({ events, ...delivery }) => ({ ...delivery, events: events.map((event) => ({ ...event })) })),
});

function present(row: ExportRow): z.input<typeof exportSchema> {
  return {
    id: row.id,
    contact: row.contactId,
    state: row.state,
    origin: row.origin,
    requested_by: row.requestedBy,
    requested_at: isoTime(row.requestedAt),
    ready_at: isoTimeOrNull(row.readyAt),
    expires_at: isoTimeOrNull(row.expiresAt),
    rows: row.rows,
  };
}

export const resource: Resource = {
  tag: { name: 'exports', description: 'Everything that is stored about a person, gathered for them.' },
  guard: 'tenant',
  changes: 'administer',
  routes,
};
