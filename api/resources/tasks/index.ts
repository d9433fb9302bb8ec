import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { acceptTask, closeTask, listTasks, reassignTask, snoozeTask, type TaskChanged, type TaskRow, taskStates } from '../../../operations/tasks.ts';
import { escalateToManager, readEscalationShare } from '../../../operations/work/escalate.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, isoTime, isoTimeOrNull, lineField, noteField, timeField } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const taskSchema = z
  .object({
    id: z.uuid(),
    kind: z.string().meta({
      description:
        '`hot_lead`: a lead gave a number and nobody could be told. `consultation`, `interest`, `question`: from a chat. `opt_out_in_words`: somebody asked in a sentence not to be written to again, which counts already. `agent_call`, `assignment`, `escalation`: from a sequence, or by hand.',
    }),
    owner: z.string().nullable().meta({ description: 'Whose it is; null: anybody’s.' }),
    state: z.enum(taskStates),
    due_at: timeField,
    lead: z.uuid().nullable().meta({ description: 'The lead, account or cart that it is about.' }),
    enrollment: z.uuid().nullable().meta({ description: 'The sequence that it was made for; null: none.' }),
    recommendation: z.string().nullable().meta({ description: 'What to do.' }),
    suppressed: z.boolean().meta({ description: 'An escalation that was not made, because there was one within 24 hours.' }),
    accepted_at: timeField.nullable(),
    accepted_by: z.string().nullable(),
    snoozed_until: timeField.nullable(),
    reminders: z.int().meta({ description: 'How often its owner was reminded since it was due.' }),
    late: z.array(z.string()).meta({ description: 'Who had it and did not do it in time, the first of them first.' }),
    data: z.record(z.string(), z.unknown()).meta({ description: 'What to do it with. Personal data.' }),
    result: z.string().nullable(),
    created_at: timeField,
    closed_at: timeField.nullable(),
    closed_by: z.string().nullable(),
  })
  .meta({ id: 'Task' });

const list = aList({
  name: 'tasks',
  fields: { due_at: 'time' },
  item: taskSchema,
  filters: { state: z.enum(taskStates).optional(), kind: lineField(60).optional(), owner: lineField(120).optional() },
});

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
      const { limit, sort, cursor, ...search } = request.query;
      return list.present(
        request.query.sort,
        await listTasks(deps, callerOf(request).tenantId, search, pageWanted({ limit, sort, cursor })),
        present,
      );
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

  app.post(
    '/api/tasks/:id/accept',
    {
      schema: {
        summary: 'Take a task',
        description: 'Its person is taken over: the automatic steps about them are held until they are released.',
        params: idParams,
        body: z.strictObject({ owner: lineField(120) }),
        response: { 200: taskSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { owner } = request.body;
      return answer(reply, isId(id) ? await acceptTask(deps, callerOf(request).tenantId, id, { owner, by: actorOf(request) }) : null);
    },
  );

  app.post(
    '/api/tasks/:id/reassign',
    {
      schema: {
        summary: 'Give a task to somebody else',
        params: idParams,
        body: z.strictObject({ owner: lineField(120).nullable().meta({ description: 'Null: anybody’s.' }) }),
        response: { 200: taskSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { owner } = request.body;
      return answer(reply, isId(id) ? await reassignTask(deps, callerOf(request).tenantId, id, { owner, by: actorOf(request) }) : null);
    },
  );

  app.post(
    '/api/tasks/:id/snooze',
    {
      schema: {
        summary: 'Put a task off',
        params: idParams,
        body: z.strictObject({ until: timeField }),
        response: { 200: taskSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const untilMs = Date.parse(request.body.until);
      if (untilMs <= deps.clock.nowMs()) return invalidRequest(reply, [{ path: 'body/until', message: 'is over: name a time to come' }]);
      return answer(reply, isId(id) ? await snoozeTask(deps, callerOf(request).tenantId, id, { untilMs, by: actorOf(request) }) : null);
    },
  );

  app.post(
    '/api/escalations',
    {
      schema: {
        summary: 'Hand somebody over to a manager',
        description:
          'A task with who it is about, how they stand and what was tried. Within 24 hours of the last escalation about the same account or lead nothing is handed over: the answer has `suppressed`, and so has the list.',
        body: z.strictObject({ subject: z.uuid().meta({ description: 'An account, a lead or a cart.' }), note: noteField.optional() }),
        response: { 200: taskSchema, 201: taskSchema, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { subject: subjectId, note = null } = request.body;
      const made = await escalateToManager(deps, { tenantId: callerOf(request).tenantId, subjectId, note, actor: actorOf(request) });
      if (made === null) return problem(reply, 404, 'unknown_subject', 'There is no such account, lead or cart.');
      return reply.code(made.suppressed ? 200 : 201).send(present(made.task));
    },
  );

  app.get(
    '/api/escalations/share',
    {
      schema: {
        summary: 'Show how many accounts were escalated',
        response: {
          200: z
            .object({
              days: z.int(),
              escalated: z.int().meta({ description: 'Accounts that are assessed.' }),
              suppressed: z.int().meta({ description: 'Escalations that were not made, because there was one within 24 hours.' }),
              accounts: z.int().meta({ description: 'That were assessed.' }),
              share: z.number().nullable(),
              alarm: z.boolean().meta({ description: 'It is above 0.05.' }),
            })
            .meta({ id: 'EscalationShare' }),
          ...problems(401, 429, 503),
        },
      },
    },
    async (request) => readEscalationShare(deps, callerOf(request).tenantId),
  );
};

function answer(reply: FastifyReply, changed: TaskChanged | null) {
  if (changed === null) return problem(reply, 404, 'unknown_task', 'No task of yours has this id.');
  if (changed.kind === 'was_closed') return problem(reply, 409, 'task_closed', `It is ${changed.task.state} already.`);
  if (changed.kind === 'accepted_by_other')
    return problem(reply, 409, 'task_accepted', `${changed.task.owner ?? 'Somebody'} has accepted it. Reassign it first.`);
  if (changed.kind === 'busy')
    return problem(
      reply,
      503,
      'busy',
      'A message to the person is just being sent. The task is yours: accept it again, so that what follows is held.',
    );
  return reply.send(present(changed.task));
}

const present = (row: TaskRow) => ({
  id: row.id,
  kind: row.kind,
  owner: row.owner,
  state: row.state,
  due_at: isoTime(row.dueAt),
  lead: row.subjectId,
  enrollment: row.enrollmentId,
  recommendation: row.recommendation,
  suppressed: row.suppressed,
  accepted_at: isoTimeOrNull(row.acceptedAt),
  accepted_by: row.acceptedBy,
  snoozed_until: isoTimeOrNull(row.snoozedUntil),
  reminders: row.reminders,
  late: row.late,
  data: row.data,
  result: row.result,
  created_at: isoTime(row.createdAt),
  closed_at: isoTimeOrNull(row.closedAt),
  closed_by: row.closedBy,
});

export const resource: Resource = { tag: { name: 'tasks', description: 'Work for people.' }, guard: 'tenant', changes: 'operate', routes };
