import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type ErasurePreview, listErasures, previewErasure, readErasure, requestErasure } from '../../../operations/privacy/erasures.ts';
import type { ErasureRow } from '../../../operations/privacy/receipts.ts';
import { whyKept } from '../../../operations/privacy/why-kept.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, isoTime, isoTimeOrNull, timeField } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const count = z.int().nonnegative();
const state = z.enum(['running', 'done', 'incomplete']).meta({
  description: '`done`: nothing of theirs was found afterwards. `incomplete`: something was, in the places of `found`; asking again tries again.',
});

const receiptSchema = z
  .object({
    id: z.uuid(),
    contact: z.uuid(),
    state,
    origin: z.enum(['request', 'shop']).meta({ description: '`shop`: the shop passed on what its customer asked for.' }),
    requested_by: z.string(),
    requested_at: timeField,
    waits_for: z.enum(['call', 'delivery', 'import', 'workflow']).nullable().meta({ description: 'What it waits for; null: nothing.' }),
    stopped_at: timeField.nullable().meta({ description: 'From then on no sequence of theirs runs and no message begins.' }),
    erased_at: timeField.nullable().meta({ description: 'From then on their data are gone; what was in nobody’s name goes with the search.' }),
    done_at: timeField.nullable(),
    erased: z.record(z.string(), count).meta({ description: 'Rows that were deleted or emptied, by table.' }),
    histories: count.meta({ description: 'Workflow histories that were deleted.' }),
    kept: z
      .array(z.object({ table: z.string(), rows: count, why: z.string() }))
      .meta({ description: 'Rows that stay, without personal data, and why.' }),
    searched: z
      .object({ tables: count, columns: count, addresses: count, numbers: count, ids: count, names: count, shared: count })
      .nullable()
      .meta({ description: 'How much was searched for how many of each; `shared`: another person has them too. null: not yet.' }),
    found: z.array(z.object({ table: z.string(), column: z.string(), rows: count })).meta({ description: 'Where something is left.' }),
  })
  .meta({ id: 'ErasureReceipt', description: 'An erasure, and what came of it. It has no personal data.' });

const previewSchema = z
  .object({
    dry_run: z.literal(true),
    contact: z.uuid(),
    contacts: count,
    identities: count,
    subjects: count,
    enrollments: count,
    open_enrollments: count.meta({ description: 'Of these, those that would end.' }),
    messages: count,
  })
  .meta({ id: 'ErasurePreview' });

const list = aList({ name: 'erasures', item: receiptSchema, filters: { state: state.optional() } });

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.post(
    '/api/contacts/:id/erase',
    {
      schema: {
        summary: 'Erase a person in the background',
        description:
          'A workflow ends every sequence of theirs, waits for open calls, takes away what is stored about them, deletes their workflows’ histories, searches every table for what is left, and writes the receipt. Asking again answers with the same erasure. With `dry_run` it is counted and nothing is changed.',
        params: idParams,
        body: z.strictObject({ dry_run: z.boolean().default(false) }).nullish(),
        response: { 200: previewSchema, 202: receiptSchema, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { tenantId } = callerOf(request);
      const unknown = () => problem(reply, 404, 'unknown_contact', 'No contact of yours has this id.');
      if (!isId(id)) return unknown();
      if (request.body?.dry_run === true) {
        const preview = await previewErasure(deps, tenantId, id);
        return preview === null ? unknown() : presentPreview(id, preview);
      }
      const row = await requestErasure(deps, { tenantId, contactId: id, actor: actorOf(request), origin: 'request' });
      return row === null ? unknown() : reply.code(202).send(present(row));
    },
  );

  app.get(
    '/api/erasures',
    {
      config: { permission: 'administer' },
      schema: {
        summary: 'List erasures with their receipts, the latest first',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor, state: wanted = null } = request.query;
      return list.present(
        request.query.sort,
        await listErasures(deps, callerOf(request).tenantId, { state: wanted, ...pageWanted({ limit, sort, cursor }) }),
        present,
      );
    },
  );

  app.get(
    '/api/erasures/:id',
    {
      config: { permission: 'administer' },
      schema: { summary: 'Show an erasure with its receipt', params: idParams, response: { 200: receiptSchema, ...problems(401, 404, 429, 503) } },
    },
    async (request, reply) => {
      const { id } = request.params;
      const row = isId(id) ? await readErasure(deps, callerOf(request).tenantId, id) : null;
      return row === null ? problem(reply, 404, 'unknown_erasure', 'No erasure of yours has this id.') : present(row);
    },
  );
};

function present(row: ErasureRow): z.input<typeof receiptSchema> {
  return {
    id: row.id,
    contact: row.contactId,
    state: row.state,
    origin: row.origin,
    requested_by: row.requestedBy,
    requested_at: isoTime(row.requestedAt),
    waits_for: row.waitsFor,
    stopped_at: isoTimeOrNull(row.stoppedAt),
    erased_at: isoTimeOrNull(row.erasedAt),
    done_at: isoTimeOrNull(row.state === 'running' ? null : row.doneAt),
    erased: row.erased,
    histories: row.histories,
    kept: Object.entries(row.kept).map(([table, rows]) => ({ table, rows, why: whyKept(table) })),
    searched: row.searched,
    found: row.found,
  };
}

const presentPreview = (contact: string, preview: ErasurePreview): z.input<typeof previewSchema> => ({
  dry_run: true,
  contact,
  contacts: preview.contacts,
  identities: preview.identities,
  subjects: preview.subjects,
  enrollments: preview.enrollments,
  open_enrollments: preview.openEnrollments,
  messages: preview.messages,
});

export const resource: Resource = {
  tag: { name: 'erasures', description: 'People who are forgotten, and the receipts of it.' },
  guard: 'tenant',
  changes: 'administer',
  routes,
};
