import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  beginBulkAction,
  type BulkAction,
  cancelBulkAction,
  countBulkAction,
  listBulkActions,
  readBulkAction,
} from '../../../operations/bulk/bulk-actions.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, isoTime, isoTimeOrNull, lineField, noteField, timeField } from '../../routes/fields.ts';
import { enrollmentFilters, filterOf, unfindable } from '../enrollments/schemas.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const actions = z.enum(['stop', 'pause', 'resume', 'move']);

const actionSchema = z
  .object({
    id: z.uuid(),
    action: actions,
    state: z.enum(['running', 'cancelled', 'done']),
    matched: z.int().meta({ description: 'Running enrollments that the filter found when it began.' }),
    examined: z.int().meta({ description: 'As many it has come to so far. Fewer than `matched` at the end: the others had ended by themselves.' }),
    changed: z.int(),
    unchanged: z.int().meta({ description: 'It was so already.' }),
    refused: z.record(z.string(), z.int()).meta({ description: 'By reason: the codes of the same action on one enrollment.' }),
    version: z.int().nullable().meta({ description: 'Of `move`; null: the one in use.' }),
    step: z.string().nullable().meta({ description: 'Of `move`; null: the one that has its place.' }),
    note: z.string().nullable(),
    requested_by: z.string(),
    created_at: timeField,
    ended_at: timeField.nullable(),
  })
  .meta({ id: 'BulkAction' });

const countSchema = z
  .object({
    action: actions,
    matched: z.int().meta({ description: 'Running enrollments that it would be done to. Give it as `most` to do it.' }),
    ended: z.int().meta({ description: 'Others that the filter finds: they have ended, and stay as they are.' }),
    sequences: z
      .array(z.object({ sequence: z.string(), status: z.enum(['ACTIVE', 'PAUSED']), count: z.int() }))
      .meta({ description: 'The running ones, the most first.' }),
  })
  .meta({ id: 'BulkActionCount' });

const body = z.strictObject({
  action: actions,
  filter: z.strictObject(enrollmentFilters).meta({ description: 'As `GET /api/enrollments` takes it, with at least one field.' }),
  version: z.int32().min(1).optional().meta({ description: 'Of `move`: the number of a version; left out: the one in use.' }),
  step: lineField(100).optional().meta({ description: 'Of `move`: the step that comes next from then on.' }),
  note: noteField.optional().meta({ description: 'Why, for the audit log; of `stop`, kept with each enrollment.' }),
  most: z.int32().min(0).optional().meta({ description: 'As many as were counted: where more are found now, nothing is done.' }),
  dry_run: z.boolean().default(false).meta({ description: 'Only count, which is answered 200.' }),
});

const list = aList({ name: 'bulk-actions', item: actionSchema, filters: {}, usual: 20, most: 100 });
const unknown = ['unknown_bulk_action', 'There is no such bulk action.'] as const;

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.post(
    '/api/bulk-actions',
    {
      schema: {
        summary: 'Stop, pause, resume or move many enrollments',
        description:
          'Every running enrollment that the filter of the list finds now; who is taken in later is not reached. Each is done as by the same action on one, with its refusals, and at most once, also when the process is ended in the middle of it. `dry_run` counts and does nothing.',
        body,
        response: { 200: countSchema, 201: actionSchema, ...problems(400, 401, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { action, filter, version = null, step = null, note = null, most = null, dry_run: isDryRun } = request.body;
      if (Object.values(filter).every((value) => value === undefined))
        return invalidRequest(reply, [
          { path: 'body/filter', message: 'is empty, which would be everybody: say whom, for example by status, sequence or email' },
        ]);
      if (action !== 'move' && (version !== null || step !== null))
        return invalidRequest(reply, [{ path: `body/${version === null ? 'step' : 'version'}`, message: 'is for the action "move"' }]);
      const { tenantId } = callerOf(request);
      const search = filterOf(filter);
      if (isDryRun) {
        const counted = await countBulkAction(deps, { tenantId, search });
        if (counted.kind !== 'found') return unfindable(reply, counted, 'body/filter');
        const { matched, ended, sequences } = counted.found;
        return reply.code(200).send({ action, matched, ended, sequences: sequences.map(({ slug, ...of }) => ({ sequence: slug, ...of })) });
      }
      const begun = await beginBulkAction(deps, { tenantId, action, search, target: { version, step }, note, most, actor: actorOf(request) });
      if (begun.kind === 'more_than_counted')
        return problem(
          reply,
          409,
          begun.kind,
          `The filter finds ${begun.matched} by now, which is more than ${most ?? 0}. Nothing was done: count again.`,
        );
      return begun.kind === 'found' ? reply.code(201).send(present(begun.found)) : unfindable(reply, begun, 'body/filter');
    },
  );

  app.get(
    '/api/bulk-actions',
    {
      schema: {
        summary: 'List bulk actions, the newest first',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor } = request.query;
      return list.present(request.query.sort, await listBulkActions(deps, callerOf(request).tenantId, pageWanted({ limit, sort, cursor })), present);
    },
  );

  app.get(
    '/api/bulk-actions/:id',
    { schema: { params: idParams, summary: 'Show a bulk action', response: { 200: actionSchema, ...problems(401, 404, 429, 503) } } },
    async (request, reply) => {
      const { id } = request.params;
      const found = isId(id) ? await readBulkAction(deps, callerOf(request).tenantId, id) : null;
      return found === null ? problem(reply, 404, ...unknown) : present(found);
    },
  );

  app.post(
    '/api/bulk-actions/:id/cancel',
    {
      schema: {
        params: idParams,
        summary: 'End a bulk action; what it did stays',
        response: { 200: actionSchema, ...problems(401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const cancelled = isId(id) ? await cancelBulkAction(deps, { tenantId: callerOf(request).tenantId, id, actor: actorOf(request) }) : null;
      if (cancelled === null) return problem(reply, 404, ...unknown);
      if (cancelled.refused) return problem(reply, 409, 'wrong_state', `It is ${cancelled.action.state}: there is nothing to cancel.`);
      return present(cancelled.action);
    },
  );
};

function present(row: BulkAction): z.input<typeof actionSchema> {
  const { id, action, state, matched, examined, changed, unchanged, refused, target, note, requestedBy, createdAt, endedAt } = row;
  return {
    ...{ id, action, state, matched, examined, changed, unchanged, refused, note },
    version: target?.version ?? null,
    step: target?.step ?? null,
    requested_by: requestedBy,
    created_at: isoTime(createdAt),
    ended_at: isoTimeOrNull(endedAt),
  };
}

export const resource: Resource = {
  tag: { name: 'bulk actions', description: 'The same done to every enrollment that a filter finds.' },
  guard: 'tenant',
  changes: 'operate',
  routes,
};
