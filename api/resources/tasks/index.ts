import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { closeTask, listTasks, type TaskRow, taskStates } from '../../../operations/tasks.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, isoTime, isoTimeOrNull, lineField, noteField, timeField } from '../../routes/fields.ts';
import { aList } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const taskSchema = z
  .object({
    id: z.uuid(),
    kind: z
      .string()
      .meta({ description: '`hot_lead`: a lead gave a number and nobody could be told. `consultation`, `interest`, `question`: from a chat.' }),
    owner: z.string().nullable().meta({ description: 'Whose it is; null: anybody’s.' }),
    state: z.enum(taskStates),
    due_at: timeField,
    lead: z.uuid().nullable(),
    data: z.record(z.string(), z.unknown()).meta({ description: 'What to do it with. Personal data.' }),
    result: z.string().nullable(),
    created_at: timeField,
    closed_at: timeField.nullable(),
    closed_by: z.string().nullable(),
  })
  .meta({ id: 'Task' });

const list = aList({ name: 'tasks', item: taskSchema, filters: { state: z.enum(taskStates).optional(), kind: lineField(60).optional() } });

const closeBody = z
  .strictObject({ state: z.enum(['done', 'dismissed']).default('done'), result: noteField.nullable().default(null) })
  .default({ state: 'done', result: null });

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/tasks',
    {
      schema: {
        summary: 'List the work for people',
        description: 'The latest first.',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, cursor: after = null, ...search } = request.query;
      return list.present(await listTasks(deps, callerOf(request).tenantId, search, { limit, after }), present);
    },
  );

  app.post(
    '/api/tasks/:id/close',
    {
      schema: {
        summary: 'Say what came of a task',
        params: idParams,
        body: closeBody,
        response: { 200: taskSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const closed = isId(id) ? await closeTask(deps, callerOf(request).tenantId, id, { ...request.body, by: actorOf(request) }) : null;
      if (closed === null) return problem(reply, 404, 'unknown_task', 'No task of yours has this id.');
      if (closed.kind === 'was_closed') return problem(reply, 409, 'task_closed', `It is ${closed.task.state} already.`);
      return present(closed.task);
    },
  );
};

const present = (row: TaskRow) => ({
  id: row.id,
  kind: row.kind,
  owner: row.owner,
  state: row.state,
  due_at: isoTime(row.dueAt),
  lead: row.subjectId,
  data: row.data,
  result: row.result,
  created_at: isoTime(row.createdAt),
  closed_at: isoTimeOrNull(row.closedAt),
  closed_by: row.closedBy,
});

export const resource: Resource = { tag: { name: 'tasks', description: 'Work for people.' }, guard: 'tenant', changes: 'operate', routes };
