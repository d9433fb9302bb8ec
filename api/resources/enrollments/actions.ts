import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { askWorkflow, awaitDispatch, type StepAnswer, type StepWish } from '../../../operations/actions/ask-workflow.ts';
import { actionSentence, type ActionDone } from '../../../operations/actions/words.ts';
import { holdByHand, type HoldAnswer } from '../../../operations/actions/hold.ts';
import { moveByHand, type MoveAnswer } from '../../../operations/actions/move.ts';
import { readEnrollment } from '../../../operations/read/enrollment.ts';
import { stopOnce } from '../../../operations/stop-one.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { problem, problems, wrongChoice } from '../../plugins/errors.ts';
import { idempotencyKeyOf, keyReused } from '../../plugins/idempotency.ts';
import { idParams, isId, isoTimeOrNull, lineField, noteField, timeField } from '../../routes/fields.ts';
import type { ResourceOptions } from '../resource.ts';
import { presentEnrollment } from './present.ts';
import { enrollmentSchema } from './schemas.ts';

const actionSchema = z
  .object({
    action: z.enum(['pause', 'resume', 'skip', 'snooze', 'send_now', 'stop', 'move']),
    outcome: z
      .enum([
        'paused',
        'resumed',
        'skipped',
        'snoozed',
        'sent',
        'unknown',
        'deferred',
        'held',
        'left_out',
        'under_way',
        'stopped',
        'moved',
        'ended',
        'unchanged',
      ])
      .meta({
        description:
          'What came of it. Of `send_now`: `sent`; `unknown`: it may have been accepted; `deferred`: a gate is closed until `until`; `held`: a person has taken over, or the whole sequence is paused; `left_out`: a gate skipped it; `under_way`: it is not decided within the time of an answer; `ended`: a gate ended the sequence. `unchanged`: it was so already.',
      }),
    changed: z.boolean(),
    step: z.string().nullable().meta({ description: 'The step that it was about; null: the whole enrollment.' }),
    until: timeField.nullable().meta({ description: 'Of `snoozed` and `deferred`: when the step is due, or is decided again.' }),
    reason: z
      .string()
      .nullable()
      .meta({ description: 'Which gate, of `deferred`, `held` and `left_out`; of a stop of what had ended before, how it ended.' }),
    sentence: z.string().meta({ description: 'The same for people.' }),
    enrollment: enrollmentSchema,
  })
  .meta({ id: 'EnrollmentAction' });

const longestHours = 90 * 24;
const stepField = lineField(100)
  .optional()
  .meta({ description: 'The step that is meant. Where it is not the next one any more, nothing is done; left out: whichever comes next.' });
const stepBody = z.strictObject({ step: stepField }).nullish();
const holdBody = z.strictObject({ note: noteField.optional().meta({ description: 'Why, for the audit log.' }) }).nullish();
const snoozeBody = z.strictObject({
  until: z.iso.datetime({ offset: true }).optional().meta({ description: 'Until when, at most 90 days ahead.' }),
  hours: z.number().positive().max(longestHours).optional().meta({ description: 'Or for how many hours of the sequence’s own time.' }),
  step: stepField,
});
const moveBody = z
  .strictObject({
    version: z.int32().min(1).optional().meta({ description: 'The number of a version of its sequence; left out: the one in use.' }),
    step: lineField(100).optional().meta({ description: 'The step that comes next from then on; left out: the one that has its place there.' }),
    note: noteField.optional().meta({ description: 'Why, for the audit log.' }),
  })
  .nullish();
const stopBody = z.strictObject({ reason: noteField.optional().meta({ description: 'Kept as a note; it decides nothing.' }) }).nullish();

const unknown = ['unknown_enrollment', 'There is no such enrollment.'] as const;
const common = ' Refusals are 409 with a `code`: `ended`';
const ofStep = `${common}, \`already_sent\`, \`already_skipped\`, \`not_next\`, \`unknown_step\`, \`no_step\`, \`in_flight\``;
const unanswered =
  ' The running sequence carries it out: where none answers in time, 503 `not_answered` says that nothing was done and nothing will be.';

const response = { 200: actionSchema, ...problems(400, 401, 404, 409, 429, 503) };
// What was done is noted with its key, in the transaction that does it.
const config = { idempotency: 'repeatable' } as const;

/** What a person may do to one running enrollment. */
export function actionRoutes(app: Parameters<FastifyPluginAsyncZod>[0], options: ResourceOptions): void {
  holdRoutes(app, options);
  stepRoutes(app, options);
  stopRoute(app, options);
  moveRoute(app, options);
}

/** @returns the answer with the enrollment as it is now */
async function present({ deps, workflows }: ResourceOptions, request: FastifyRequest, reply: FastifyReply, id: string, done: ActionDone) {
  const view = await readEnrollment(deps, callerOf(request).tenantId, id);
  if (view === null) return problem(reply, 404, ...unknown);
  return {
    action: done.action,
    outcome: done.outcome,
    changed: done.changed,
    step: done.step,
    until: isoTimeOrNull(done.untilMs),
    reason: done.reason,
    sentence: actionSentence(deps.subjects.of(view.subject.kind).words, done),
    enrollment: presentEnrollment(view, workflows),
  };
}

function holdRoutes(app: Parameters<FastifyPluginAsyncZod>[0], options: ResourceOptions): void {
  const about = {
    pause: {
      path: '/api/enrollments/:id/pause',
      summary: 'Pause an enrollment',
      description: `Nothing of it is sent until it is resumed; no due time moves. Answered when no call to the person is open. It holds while no worker runs, too.${common}.`,
    },
    resume: {
      path: '/api/enrollments/:id/resume',
      summary: 'Resume an enrollment',
      description: `It goes on at once; what became too old meanwhile is skipped.${common}.`,
    },
  } as const;
  for (const does of ['pause', 'resume'] as const) {
    const { path, ...words } = about[does];
    app.post(path, { config, schema: { params: idParams, body: holdBody, ...words, response } }, async (request, reply) => {
      const { id } = request.params;
      const { tenantId } = callerOf(request);
      const held: HoldAnswer = isId(id)
        ? await holdByHand(options.deps, {
            tenantId,
            enrollmentId: id,
            does,
            note: request.body?.note ?? null,
            key: idempotencyKeyOf(request),
            actor: actorOf(request),
          })
        : { kind: 'not_found' };
      if (held.kind !== 'done') return refuse(reply, held);
      const outcome = held.result.changed ? (does === 'pause' ? 'paused' : 'resumed') : 'unchanged';
      return present(options, request, reply, id, { action: does, outcome, changed: held.result.changed, step: null, untilMs: null, reason: null });
    });
  }
}

function stepRoutes(app: Parameters<FastifyPluginAsyncZod>[0], options: ResourceOptions): void {
  const { deps, engine } = options;
  const ask = async (
    request: FastifyRequest<{ Params: { id: string } }>,
    wish: Pick<StepWish, 'kind'> & { step?: string | undefined; untilMs?: number | null; hours?: number | undefined },
  ): Promise<StepAnswer> => {
    const { id } = request.params;
    if (!isId(id)) return { kind: 'not_found' };
    const { kind, step = null, untilMs = null, hours = null } = wish;
    const whose = { tenantId: callerOf(request).tenantId, enrollmentId: id, key: idempotencyKeyOf(request), actor: actorOf(request) };
    return askWorkflow({ ...deps, engine }, { ...whose, kind, step, untilMs, hours });
  };
  const done = { changed: true, untilMs: null, reason: null };

  app.post(
    '/api/enrollments/:id/skip',
    {
      config,
      schema: {
        params: idParams,
        summary: 'Skip the next step',
        description: `It is left out for good.${unanswered}${ofStep}.`,
        body: stepBody,
        response,
      },
    },
    async (request, reply) => {
      const answer = await ask(request, { kind: 'skip', step: request.body?.step });
      if (answer.kind !== 'done') return refuse(reply, answer);
      return present(options, request, reply, request.params.id, { ...done, action: 'skip', outcome: 'skipped', step: answer.result.step });
    },
  );

  app.post(
    '/api/enrollments/:id/snooze',
    {
      config,
      schema: {
        params: idParams,
        summary: 'Snooze an enrollment',
        description: `What is left of it moves, so that its next step is due then at the earliest.${unanswered}${ofStep}, \`in_the_past\`, \`too_far\`.`,
        body: snoozeBody,
        response,
      },
    },
    async (request, reply) => {
      const { until, hours, step } = request.body;
      if ((until === undefined) === (hours === undefined))
        return wrongChoice(reply, 'body', ['until', 'hours'], 'Say until when (until), or for how many hours (hours).');
      const untilMs = until === undefined ? null : Date.parse(until);
      const answer = await ask(request, { kind: 'snooze', step, untilMs, hours });
      if (answer.kind !== 'done') return refuse(reply, answer);
      const { result } = answer;
      return present(options, request, reply, request.params.id, {
        ...done,
        action: 'snooze',
        outcome: 'snoozed',
        step: result.step,
        untilMs: result.untilMs,
      });
    },
  );

  app.post(
    '/api/enrollments/:id/send-now',
    {
      config,
      schema: {
        params: idParams,
        summary: 'Send the next step now',
        description: `It is due at once and passes every gate like any other: quiet hours, caps and consent hold, and the answer says which one put it off.${unanswered}${ofStep}, \`paused\`, \`asked_later\`.`,
        body: stepBody,
        response,
      },
    },
    async (request, reply) => {
      const answer = await ask(request, { kind: 'send_now', step: request.body?.step });
      if (answer.kind !== 'done') return refuse(reply, answer);
      const { id } = request.params;
      const { step, decisions: before } = answer.result;
      if (step === null) throw new Error('a step was made due that has no name');
      const seen = await awaitDispatch(deps, { tenantId: callerOf(request).tenantId, enrollmentId: id, step, before });
      const reason = 'reason' in seen ? seen.reason : null;
      const outcome = seen.kind === 'skipped' ? 'left_out' : seen.kind;
      const untilMs = seen.kind === 'deferred' ? seen.untilMs : null;
      return present(options, request, reply, id, { action: 'send_now', outcome, changed: true, step, untilMs, reason });
    },
  );
}

function stopRoute(app: Parameters<FastifyPluginAsyncZod>[0], options: ResourceOptions): void {
  app.post(
    '/api/enrollments/:id/stop',
    {
      config,
      schema: {
        params: idParams,
        summary: 'Stop an enrollment',
        description:
          'Whatever it is about. Answered only when no message of it can go out any more. Where it has ended before, nothing changes (`unchanged`), and `reason` says how it ended.',
        body: stopBody,
        response,
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const note = request.body?.reason?.trim() ?? 'stopped by hand';
      const whose = { tenantId: callerOf(request).tenantId, enrollmentId: id, actor: actorOf(request), key: idempotencyKeyOf(request) };
      const stopped: Awaited<ReturnType<typeof stopOnce>> = isId(id) ? await stopOnce(options.deps, { ...whose, note }) : { kind: 'not_found' };
      if (stopped.kind === 'key_reused') return refuse(reply, { kind: 'refused', why: 'key_reused' });
      if (!('end' in stopped)) return refuse(reply, { kind: stopped.kind });
      const changed = stopped.kind === 'stopped';
      const reason = stopped.end.stopReason ?? 'completed';
      return present(options, request, reply, id, {
        action: 'stop',
        outcome: changed ? 'stopped' : 'unchanged',
        changed,
        step: null,
        untilMs: null,
        reason,
      });
    },
  );
}

function moveRoute(app: Parameters<FastifyPluginAsyncZod>[0], options: ResourceOptions): void {
  app.post(
    '/api/enrollments/:id/move',
    {
      config,
      schema: {
        params: idParams,
        summary: 'Move an enrollment to another version or step',
        description: `To the version in use, or the one that is named, at the place that publishing with \`move\` would give it; or forward to a step, where what lies before it and was not done is left out. Steps that were done are never done again, and due times are those of the plan. It holds while no worker runs, too.${common}, \`unknown_version\`, \`version_replaced\`, \`unknown_step\`, \`reaction\`, \`already_sent\`, \`already_skipped\`, \`no_place\`, \`in_flight\`.`,
        body: moveBody,
        response,
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { version = null, step = null, note = null } = request.body ?? {};
      const whose = { tenantId: callerOf(request).tenantId, enrollmentId: id, actor: actorOf(request), key: idempotencyKeyOf(request) };
      const moved: MoveAnswer = isId(id) ? await moveByHand(options.deps, { ...whose, version, step, note }) : { kind: 'not_found' };
      if (moved.kind !== 'done') return refuse(reply, moved);
      const { changed } = moved.result;
      const outcome = changed ? 'moved' : 'unchanged';
      return present(options, request, reply, id, { action: 'move', outcome, changed, step: moved.result.step, untilMs: null, reason: null });
    },
  );
}

type Refusal = Extract<StepAnswer | HoldAnswer | MoveAnswer, { kind: 'refused' }>['why'];

const whyNot: Record<Exclude<Refusal, 'key_reused'>, string> = {
  ended: 'It has ended: nothing of it is sent any more. Start it again by re-enroll.',
  unknown_step: 'The sequence has no such step: `steps` of the enrollment lists them.',
  already_sent: 'That step has gone out, or may have: it is never sent again and cannot be taken back.',
  already_skipped: 'That step has been left out already.',
  not_next: 'Another step comes before it: `next_step` of the enrollment names it.',
  no_step: 'No step is left: it only waits for what its reactions react to.',
  in_flight: 'A message of it is being handed to the provider right now. Ask again in some seconds.',
  paused: 'It is paused: resume it first.',
  asked_later: 'The person asked to be contacted later, and that time has not come.',
  in_the_past: 'That time is over: give one that lies ahead.',
  unknown_version: 'Its sequence has no version of that number: GET /api/sequences/{slug}/versions lists them.',
  version_replaced:
    'Everybody on that version was moved on or ended when another one was published: roll back to it instead, which publishes it anew.',
  reaction: 'That step reacts to something and has no place in the order.',
  no_place: 'It would have to go back behind a step that was done, or no step says where it would stand: name a step that lies ahead of it.',
  too_far: 'That is more than 90 days ahead: stop it instead, and start it again then.',
};

function refuse(reply: FastifyReply, answer: Exclude<StepAnswer | HoldAnswer | MoveAnswer, { kind: 'done' }>): FastifyReply {
  switch (answer.kind) {
    case 'not_found':
      return problem(reply, 404, ...unknown);
    case 'refused':
      if (answer.why === 'key_reused') return keyReused(reply);
      return problem(reply, 409, answer.why, whyNot[answer.why]);
    case 'unanswered':
      return problem(
        reply.header('retry-after', '5'),
        503,
        'not_answered',
        'The running sequence did not answer in time: no worker runs, or Temporal is away (/healthz says which). Nothing was done and nothing will be. Ask again.',
      );
    case 'busy':
      return problem(
        reply.header('retry-after', '1'),
        503,
        'busy',
        'It is not confirmed yet: somebody else is changing this person right now, or a message is on its way. Ask again.',
      );
  }
}
