import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  dropNotification,
  listNotifications,
  notificationCauses,
  type NotificationEntry,
  notificationStates,
  resumeNotification,
} from '../../../operations/notifications/notifications.ts';
import { checkTarget, mostChecksPerHour } from '../../../operations/notifications/check-target.ts';
import {
  changeTarget,
  createTarget,
  listTargets,
  notificationChannels,
  readTarget,
  removeTarget,
  type TargetView,
} from '../../../operations/notifications/targets.ts';
import {
  anyKind,
  listTemplates,
  previewTemplate,
  putTemplate,
  removeTemplate,
  type TemplateFault,
  type TemplateView,
} from '../../../operations/notifications/templates.ts';
import { taskActions } from '../../../operations/notifications/links.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, isoTime, isoTimeOrNull, lineField, timeField } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const channel = z.enum(notificationChannels);
const kindField = lineField(60).meta({ description: 'Of tasks, such as `escalation`.' });
const owner = lineField(120)
  .nullable()
  .meta({ description: 'Whose tasks, as the setting `workTargets` names them; null: those that are anybody’s.' });
const done = z.null().meta({ description: 'Done.' });

const targetSchema = z
  .object({
    ...{ id: z.uuid(), owner, channel },
    address: z.string().meta({
      description: 'An email address, a telephone number, the id of a Telegram chat; of `slack` and `webhook` the host alone.',
    }),
    kinds: z.array(z.string()).meta({ description: 'Of tasks; empty: every kind.' }),
    created_at: timeField,
  })
  .meta({ id: 'NotificationTarget' });
const newTargetSchema = targetSchema
  .extend({ secret: z.string().nullable().meta({ description: 'Of a webhook: what it is signed with, by Standard Webhooks. Shown once.' }) })
  .meta({ id: 'NewNotificationTarget' });
const kinds = z.array(kindField).max(50);

const templateSchema = z
  .object({
    ...{ kind: z.string().meta({ description: `\`${anyKind}\`: every kind without a text of its own.` }), channel },
    subject: z.string().nullable().meta({ description: 'Liquid; null: the channel has none.' }),
    body: z.string().meta({ description: 'Liquid. The links are not in it: each channel puts them below.' }),
    own: z.boolean().meta({ description: 'The store has written it for this kind.' }),
    updated_at: timeField.nullable(),
  })
  .meta({ id: 'NotificationTemplate' });
const textBody = z.strictObject({ subject: z.string().max(300).nullable().default(null), body: z.string().min(1).max(8_000) });

const notificationSchema = z
  .object({
    ...{ id: z.uuid(), task: z.uuid(), target: z.uuid(), owner: z.string().nullable(), channel },
    cause: z.enum(notificationCauses).meta({ description: '`overdue`: it reminds of a task that nobody has done in time.' }),
    reminder: z.int().nullable().meta({ description: 'Which reminder it is, from 1; null: it is none.' }),
    state: z.enum(notificationStates).meta({
      description:
        '`waiting` and `calling`: on its way. `sent`: taken. `unknown`: it may have arrived, and is never sent again. `parked`: somebody has to do something, see `response`. `dropped`: nobody needed it any more.',
    }),
    attempts: z.int().meta({ description: 'That were certainly not taken.' }),
    account: z.string().nullable().meta({ description: 'Through which it went.' }),
    response: z.string().nullable(),
    created_at: timeField,
    next_at: timeField.nullable(),
    settled_at: timeField.nullable(),
    uses: z.array(z.object({ action: z.enum(taskActions), by: z.string(), at: timeField })).meta({ description: 'Links that were used.' }),
  })
  .meta({ id: 'Notification' });

const targetList = aList({ name: 'notification-targets', item: targetSchema, filters: {}, first: 'oldest' });
const list = aList({
  name: 'notifications',
  item: notificationSchema,
  filters: { task: z.uuid().optional(), target: z.uuid().optional(), state: z.enum(notificationStates).optional() },
});

const unknownTarget = (reply: FastifyReply) => problem(reply, 404, 'unknown_notification_target', 'There is no such target.');
const faultsOf = (reply: FastifyReply, faults: readonly TemplateFault[], before = 'body') =>
  invalidRequest(
    reply,
    faults.map(({ part, line, message }) => ({ path: `${before}/${part}`, message: line === null ? message : `line ${line}: ${message}` })),
  );

const templateParams = z.object({ kind: kindField, channel });

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/notification-targets',
    {
      schema: {
        summary: 'List where owners of tasks are told of them',
        querystring: targetList.query,
        response: { 200: targetList.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { query } = request;
      return targetList.present(query.sort, await listTargets(deps, callerOf(request).tenantId, pageWanted(query)), presentTarget);
    },
  );

  app.post(
    '/api/notification-targets',
    {
      config: { permission: 'administer' },
      schema: {
        summary: 'Tell an owner of their tasks somewhere',
        description: 'From now on: tasks that are open already are not told. 409 `too_many_targets`: a store has 200 at most.',
        body: z.strictObject({ owner: owner.default(null), channel, address: z.string().min(1).max(2_000), kinds: kinds.default([]) }),
        response: { 201: newTargetSchema, ...problems(400, 401, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const made = await createTarget(deps, callerOf(request).tenantId, request.body, actorOf(request));
      switch (made.kind) {
        case 'made':
          return reply.code(201).send({ ...presentTarget(made.target), secret: made.secret });
        case 'invalid_address':
          return invalidRequest(reply, [{ path: 'body/address', message: made.message }]);
        case 'too_many':
          return problem(reply, 409, 'too_many_targets', `A store has ${made.most} targets at most: remove one that is not needed.`);
      }
    },
  );

  app.get(
    '/api/notification-targets/:id',
    { schema: { summary: 'Get a target', params: idParams, response: { 200: targetSchema, ...problems(401, 404, 429, 503) } } },
    async (request, reply) => {
      const { id } = request.params;
      const found = isId(id) ? await readTarget(deps, callerOf(request).tenantId, id) : null;
      return found === null ? unknownTarget(reply) : presentTarget(found);
    },
  );

  app.patch(
    '/api/notification-targets/:id',
    {
      config: { permission: 'administer' },
      schema: {
        summary: 'Change a target',
        description: 'What waits goes to the new address. The channel stays.',
        params: idParams,
        body: z.strictObject({ owner: owner.optional(), address: z.string().min(1).max(2_000).optional(), kinds: kinds.optional() }),
        response: { 200: targetSchema, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      if (!isId(id)) return unknownTarget(reply);
      const changed = await changeTarget(deps, callerOf(request).tenantId, id, request.body, actorOf(request));
      if (changed.kind === 'unknown') return unknownTarget(reply);
      if (changed.kind === 'invalid_address') return invalidRequest(reply, [{ path: 'body/address', message: changed.message }]);
      return presentTarget(changed.target);
    },
  );

  app.delete(
    '/api/notification-targets/:id',
    {
      config: { permission: 'administer' },
      schema: {
        summary: 'Remove a target',
        description: 'What waits for it is dropped.',
        params: idParams,
        response: { 204: done, ...problems(401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const removed = isId(id) && (await removeTarget(deps, callerOf(request).tenantId, id, actorOf(request)));
      return removed ? reply.code(204).send(null) : unknownTarget(reply);
    },
  );

  app.post(
    '/api/notification-targets/:id/check',
    {
      config: { permission: 'administer' },
      schema: {
        summary: 'Send a test to a target',
        description: `One message about nobody, at once; ${mostChecksPerHour} in an hour at most.`,
        params: idParams,
        response: {
          200: z
            .object({
              outcome: z
                .enum(['accepted', 'refused', 'unknown', 'no_way'])
                .meta({ description: '`unknown`: it may have arrived; `no_way`: the store has no account for the channel.' }),
              detail: z.string(),
            })
            .meta({ id: 'NotificationTargetCheck' }),
          ...problems(401, 404, 409, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const check = isId(id) ? await checkTarget(deps, callerOf(request).tenantId, id, actorOf(request)) : { kind: 'unknown' as const };
      if (check.kind === 'unknown') return unknownTarget(reply);
      if (check.kind === 'too_many')
        return problem(reply, 409, 'too_many_checks', `There were ${mostChecksPerHour} tests within an hour: wait, and look at what arrived.`);
      return { outcome: check.kind === 'no_way' ? check.kind : check.outcome, detail: check.detail };
    },
  );

  app.get(
    '/api/notification-templates',
    {
      schema: {
        summary: 'Show what notifications say',
        description: 'Of each kind and channel: the store’s own text, else the usual one.',
        response: { 200: z.object({ templates: z.array(templateSchema) }), ...problems(401, 429, 503) },
      },
    },
    async (request) => ({ templates: (await listTemplates(deps, callerOf(request).tenantId)).map(presentTemplate) }),
  );

  app.put(
    '/api/notification-templates/:kind/:channel',
    {
      config: { permission: 'edit' },
      schema: {
        summary: 'Write what notifications of a kind say on a channel',
        description: 'In Liquid. Nothing is stored that could not be rendered: 400 says what is wrong, with its line.',
        params: templateParams,
        body: textBody,
        response: { 200: templateSchema, ...problems(400, 401, 429, 503) },
      },
    },
    async (request, reply) => {
      const put = await putTemplate(deps, callerOf(request).tenantId, { ...request.params, ...request.body }, actorOf(request));
      return put.kind === 'stored' ? presentTemplate(put.template) : faultsOf(reply, put.faults);
    },
  );

  app.delete(
    '/api/notification-templates/:kind/:channel',
    {
      config: { permission: 'edit' },
      schema: { summary: 'Go back to the usual text', params: templateParams, response: { 204: done, ...problems(400, 401, 404, 429, 503) } },
    },
    async (request, reply) => {
      const removed = await removeTemplate(deps, callerOf(request).tenantId, request.params, actorOf(request));
      return removed
        ? reply.code(204).send(null)
        : problem(reply, 404, 'unknown_notification_template', 'The store has no text of its own for this kind and channel.');
    },
  );

  app.post(
    '/api/notification-templates/preview',
    {
      config: { permission: 'read' },
      schema: {
        summary: 'Preview a notification',
        description: 'With a task of the store’s, or a sample; with a given text, or the one that is used now. Nothing is sent.',
        body: z.strictObject({
          kind: kindField.default('escalation'),
          channel,
          task: z.uuid().nullable().default(null),
          text: textBody.nullable().default(null),
        }),
        response: {
          200: z.object({ subject: z.string().nullable(), body: z.string(), html: z.string().nullable() }).meta({ id: 'NotificationPreview' }),
          ...problems(400, 401, 404, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const { task: taskId, ...wish } = request.body;
      const shown = await previewTemplate(deps, callerOf(request).tenantId, { ...wish, taskId });
      if (shown === null) return problem(reply, 404, 'unknown_task', 'No task of yours has this id.');
      return shown.kind === 'shown' ? shown.preview : faultsOf(reply, shown.faults, 'body/text');
    },
  );

  app.get(
    '/api/notifications',
    {
      schema: {
        summary: 'List what owners were told of tasks',
        description: 'The latest first, with what became of each.',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor, ...search } = request.query;
      return list.present(sort, await listNotifications(deps, callerOf(request).tenantId, search, pageWanted({ limit, sort, cursor })), present);
    },
  );

  app.post(
    '/api/notifications/:id/resume',
    {
      schema: {
        summary: 'Try a parked notification again',
        description: 'One that may have arrived is never sent again: 409 `not_parked`.',
        params: idParams,
        response: { 204: done, ...problems(401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const resumed = isId(id) ? await resumeNotification(deps, callerOf(request).tenantId, id, actorOf(request)) : ({ kind: 'unknown' } as const);
      if (resumed.kind === 'unknown') return problem(reply, 404, 'unknown_notification', 'There is no such notification.');
      if (resumed.kind === 'not_parked') return problem(reply, 409, 'not_parked', `It is not parked: it is ${resumed.state}.`);
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/api/notifications/:id/drop',
    {
      schema: {
        summary: 'Give a parked notification up',
        params: idParams,
        response: { 204: done, ...problems(401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const dropped = isId(id) && (await dropNotification(deps, callerOf(request).tenantId, id, actorOf(request)));
      return dropped ? reply.code(204).send(null) : problem(reply, 404, 'unknown_notification', 'No notification with this id is parked.');
    },
  );
};

const presentTarget = ({ id, owner: whose, channel: by, address, kinds: of, createdAtMs }: TargetView): z.input<typeof targetSchema> => ({
  ...{ id, owner: whose, channel: by, address, kinds: of },
  created_at: isoTime(createdAtMs),
});
const presentTemplate = ({ kind, channel: by, subject, body, isOwn, updatedAtMs }: TemplateView): z.input<typeof templateSchema> => ({
  ...{ kind, channel: by, subject, body, own: isOwn },
  updated_at: isoTimeOrNull(updatedAtMs),
});
const present = (one: NotificationEntry): z.input<typeof notificationSchema> => ({
  ...{ id: one.id, task: one.taskId, target: one.targetId, owner: one.owner, channel: one.channel, cause: one.cause, reminder: one.reminder },
  ...{ state: one.state, attempts: one.attempts, account: one.account, response: one.response },
  ...{ created_at: isoTime(one.createdAtMs), next_at: isoTimeOrNull(one.nextAtMs), settled_at: isoTimeOrNull(one.settledAtMs) },
  uses: one.uses.map(({ action, by, atMs }) => ({ action, by, at: isoTime(atMs) })),
});

export const resource: Resource = {
  tag: { name: 'notifications', description: 'How people are told of tasks.' },
  guard: 'tenant',
  changes: 'operate',
  routes,
};
