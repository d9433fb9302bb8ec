import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { BuiltDeps } from '../../../operations/create-deps.ts';
import { enrollByHand, type HandStarted } from '../../../operations/enroll-by-hand.ts';
import { readAnalytics } from '../../../operations/read/analytics.ts';
import { findSubject } from '../../../operations/read/find-enrollments.ts';
import { readRecoveries } from '../../../operations/read/recoveries.ts';
import { readRecoveryEvents } from '../../../operations/read/recovery-events.ts';
import { stopByHand } from '../../../operations/stop-one.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { aList, pageWanted } from '../../resources/list.ts';
import { idParams, isId, lineField, nextPage, noteField } from '../fields.ts';
import { presentAnalytics, presentEvent, presentRecovery, presentStop } from './present.ts';
import { analyticsSchema, recoveryEventSchema, recoverySchema, startedSchema, stoppedSchema } from './schemas.ts';

/** The store's recoveries, their figures, and the stop by hand. Registered behind `requireCaller`. */
export const recoveryRoutes: FastifyPluginAsyncZod<{ deps: BuiltDeps }> = async (app, { deps }) => {
  const tags = ['recovery'];
  const security = [{ apiKey: [] }, { apiKeyHeader: [] }];

  app.get(
    '/recovery/sequences',
    {
      schema: {
        tags,
        security,
        summary: 'List the sequences of the store',
        description:
          'Every recovery that has begun, with its cart, the oldest first: those that have not ended, unless `status` asks for others. Where there are more, `Link` names the next page.',
        querystring: z.object({
          status: z.enum(['active', 'ended', 'all']).default('active'),
          limit: z.coerce.number().int().min(1).max(1_000).default(500),
          cursor: z.uuid().optional().meta({ description: 'From the `Link` of the page before.' }),
        }),
        response: { 200: z.array(recoverySchema), ...problems(400, 401, 429, 503) },
      },
    },
    async (request, reply) => {
      const { limit, cursor, status } = request.query;
      const page = await readRecoveries(deps, callerOf(request).tenantId, { status, limit, after: cursor ?? null });
      if (page.next !== null)
        void reply.header('link', nextPage('/recovery/sequences', { limit, ...(status === 'active' ? {} : { status }) }, page.next));
      return page.items.map(presentRecovery);
    },
  );

  app.post(
    '/recovery/sequences',
    {
      schema: {
        tags,
        security,
        summary: 'Start the sequence of a cart by hand',
        description:
          'What keeps a sequence from starting is no error: a cart that is not known or was bought, or one whose sequence runs already. The answer says so with 200, and nothing changes. `POST /api/enrollments` starts other sequences.',
        body: z.object({ cart_id: lineField(200).meta({ description: 'Rekindle’s own id of the cart, or the shop’s.' }) }),
        response: { 200: startedSchema, 201: startedSchema, ...problems(400, 401, 429, 503) },
      },
    },
    async (request, reply) => {
      const { tenantId } = callerOf(request);
      const cartId = request.body.cart_id.trim();
      const found = await findSubject(deps, tenantId, isId(cartId) ? { subjectId: cartId } : { externalId: cartId });
      if (found.kind !== 'found' || found.found === null) return notStarted('unknown_cart', 'There is no such cart: nothing was started.');
      const started = await enrollByHand(deps, {
        ...{ tenantId, subjectId: found.found, sequence: null, note: null, actor: actorOf(request), key: null },
      });
      if (started.kind === 'busy')
        return problem(reply.header('retry-after', '1'), 503, 'busy', 'Somebody else is changing this person right now. Ask again.');
      if (started.kind !== 'enrolled') return whyNotStarted(started);
      return reply.code(201).send({ status: 'started', id: started.enrollmentId, reason: null, detail: 'The sequence has been started.' });
    },
  );

  const events = aList({
    name: 'recovery-events',
    first: 'oldest',
    item: recoveryEventSchema,
    filters: {
      after: z.uuid().optional().meta({ description: 'Only what happened after this event, by its id: for a program that asks now and then.' }),
      since: z.iso.datetime().optional().meta({ description: 'Only what happened then or later.' }),
    },
  });
  app.get(
    '/recovery/events',
    {
      schema: {
        tags,
        security,
        summary: 'List what happened to the sequences',
        description:
          'Sequences that started, emails that went out, carts that were recovered: the oldest first, once each. An event is shown five seconds after it happened, so that none appears before one that was shown already.',
        querystring: events.query,
        response: { 200: events.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { after, since, ...asked } = request.query;
      const wanted = pageWanted(asked);
      const page = { ...wanted, after: wanted.after ?? after ?? null, sinceMs: since === undefined ? null : Date.parse(since) };
      return events.present(request.query.sort, await readRecoveryEvents(deps, callerOf(request).tenantId, page), presentEvent);
    },
  );

  app.post(
    '/recovery/sequences/:id/stop',
    {
      schema: {
        tags,
        security,
        summary: 'Stop a sequence by hand',
        description:
          'Answered only when no message of it can go out any more. The reason is kept as a note: "purchased" typed here is not a recovery. Where the sequence has ended before, nothing changes, and the answer says how it ended.',
        params: idParams,
        querystring: z.object({ reason: noteField }),
        response: { 200: stoppedSchema, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { tenantId } = callerOf(request);
      const { id } = request.params;
      const reason = request.query.reason.trim();
      if (!isId(id)) return problem(reply, 404, 'unknown_sequence', 'There is no such sequence.');
      const result = await stopByHand(deps, { tenantId, enrollmentId: id, note: reason, actor: actorOf(request) });
      switch (result.kind) {
        case 'stopped':
        case 'ended_before':
          return presentStop(deps.subjects, result);
        case 'not_found':
          return problem(reply, 404, 'unknown_sequence', 'There is no such sequence.');
        case 'busy':
          return problem(
            reply.header('retry-after', '1'),
            503,
            'busy',
            'The stop is not confirmed yet: a message of this sequence may be on its way right now. Ask again.',
          );
      }
    },
  );

  app.get(
    '/recovery/analytics',
    {
      schema: {
        tags,
        security,
        summary: 'How the sequences of the last days did',
        description:
          'About the sequences started in the window: those whose cart counted as abandoned in it. The window begins at a full hour (UTC), up to an hour earlier than `days` ago.',
        querystring: z.object({ days: z.coerce.number().int().min(1).max(3_660).default(30) }),
        response: { 200: analyticsSchema, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => presentAnalytics(request.query.days, await readAnalytics(deps, callerOf(request).tenantId, request.query.days)),
  );
};

type NotStarted = z.input<typeof startedSchema>;
const notStarted = (reason: string, detail: string, id: string | null = null): NotStarted => ({ status: 'not_started', id, reason, detail });

function whyNotStarted(refusal: Exclude<HandStarted, { kind: 'enrolled' | 'busy' }>): NotStarted {
  switch (refusal.kind) {
    case 'refused':
      return notStarted(refusal.reason, refusal.detail, refusal.enrollmentId);
    case 'several_sequences':
      return notStarted(refusal.kind, `Several sequences are about carts (${refusal.slugs.join(', ')}): name one by POST /api/enrollments.`);
    case 'no_sequence':
      return notStarted(refusal.kind, refusal.detail);
    case 'unknown_subject':
    case 'key_reused':
      return notStarted('unknown_cart', 'There is no such cart: nothing was started.');
  }
}
