import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { readEnrollment } from '../../../operations/read/enrollment.ts';
import { explainEnrollment, explainFound } from '../../../operations/read/explain.ts';
import { enrollByHand, type HandStart, type HandStarted } from '../../../operations/enroll-by-hand.ts';
import { findEnrollments, findSubject } from '../../../operations/read/find-enrollments.ts';
import { takeOverByHand } from '../../../operations/stop-one.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { problem, problems, wrongChoice } from '../../plugins/errors.ts';
import { idempotencyKeyOf, keyReused } from '../../plugins/idempotency.ts';
import { idParams, isId } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import { type Resource, type ResourceOptions } from '../resource.ts';
import { actionRoutes } from './actions.ts';
import { presentEnrollment, presentExplanation, presentFound } from './present.ts';
import {
  enrollBody,
  enrollmentFilters,
  enrollmentSchema,
  explanationSchema,
  filterOf,
  foundSchema,
  reEnrollBody,
  searchOf,
  searchQuery,
  unfindable,
} from './schemas.ts';

const list = aList({
  name: 'enrollments',
  fields: { ended_at: 'time' },
  item: enrollmentSchema,
  filters: enrollmentFilters,
  usual: 50,
  most: 100,
});
const unknown = ['unknown_enrollment', 'There is no such enrollment.'] as const;

/** Search enrollments, show one, explain one, and start one by hand. */
const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, options) => {
  const { deps, workflows: links } = options;
  startRoutes(app, options);
  takeoverRoutes(app, options);
  actionRoutes(app, options);

  app.get(
    '/api/enrollments',
    {
      schema: {
        summary: 'Find enrollments',
        description:
          'By an email address, a number, what it is about or any id of the source’s; without any of these, all of them. The newest first, running and ended ones.',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request, reply) => {
      const { limit, sort, cursor, ...filter } = request.query;
      const result = await findEnrollments(deps, callerOf(request).tenantId, filterOf(filter), pageWanted({ limit, sort, cursor }));
      if (result.kind !== 'found') return unfindable(reply, result);
      return list.present(request.query.sort, result.found, (view) => presentEnrollment(view, links));
    },
  );

  app.get(
    '/api/explain',
    {
      schema: {
        summary: 'Explain what happened to a person or about a subject',
        description:
          'Finds as `GET /api/enrollments` does, and answers with the whole record of the newest enrollments; and names the subjects about which no sequence was begun.',
        querystring: searchQuery,
        response: { 200: foundSchema, ...problems(400, 401, 429, 503) },
      },
    },
    async (request, reply) => {
      const search = searchOf(request.query);
      if (Object.values(search).every((value) => value === undefined))
        return wrongChoice(
          reply,
          'querystring',
          ['email', 'phone', 'subject_id', 'external_id'],
          'Say whom or what: email, phone, subject_id or external_id.',
        );
      const result = await explainFound(deps, callerOf(request).tenantId, search);
      return result.kind === 'unreadable' ? unfindable(reply, result) : presentFound(result.found, links);
    },
  );

  app.get(
    '/api/enrollments/:id',
    {
      schema: {
        params: idParams,
        summary: 'Show an enrollment',
        description: 'Where a person stands in a sequence: each step with its state, what comes next, the workflow in Temporal.',
        response: { 200: enrollmentSchema, ...problems(401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const view = isId(id) ? await readEnrollment(deps, callerOf(request).tenantId, id) : null;
      return view === null ? problem(reply, 404, ...unknown) : presentEnrollment(view, links);
    },
  );

  app.get(
    '/api/enrollments/:id/explain',
    {
      schema: {
        params: idParams,
        summary: 'Explain an enrollment',
        description: 'Every event, decision with its gates, message and provider event, in order of time, each with a sentence for people.',
        response: { 200: explanationSchema, ...problems(401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const explanation = isId(id) ? await explainEnrollment(deps, callerOf(request).tenantId, id) : null;
      return explanation === null ? problem(reply, 404, ...unknown) : presentExplanation(explanation, links);
    },
  );
};

function startRoutes(app: Parameters<typeof routes>[0], { deps, workflows: links }: ResourceOptions): void {
  const gates =
    'The rules of an automatic start hold, and each refusal is a 409 whose `code` names it: `do_not_contact`, `opted_out`, `suppressed`, `no_consent`, `no_address`, `bought`, `gone`, `nothing_to_recover`, `already_running`, `another_running`. A person may overrule two of them: that a subject goes through its sequence once, and how old it may be. It is a new enrollment with steps of its own, counted from now: a step that went out in an earlier enrollment goes out again. With an `Idempotency-Key` a request that is repeated after more than 24 hours still starts nothing twice: it answers 200 with the enrollment that the first one made.';
  const response = { 200: enrollmentSchema, 201: enrollmentSchema, ...problems(400, 401, 404, 409, 429, 503) };

  const start = async (
    request: FastifyRequest,
    reply: FastifyReply,
    wish: Pick<HandStart, 'subjectId' | 'sequence'> & { note: string | undefined },
  ) => {
    const { tenantId } = callerOf(request);
    const started = await enrollByHand(deps, {
      ...wish,
      tenantId,
      note: wish.note ?? null,
      actor: actorOf(request),
      key: idempotencyKeyOf(request),
    });
    if (started.kind !== 'enrolled') return refuseStart(reply, started);
    const view = await readEnrollment(deps, tenantId, started.enrollmentId);
    if (view === null) throw new Error('an enrollment was begun that is not there');
    return reply.code(started.repeated ? 200 : 201).send(presentEnrollment(view, links));
  };

  app.post(
    '/api/enrollments',
    {
      config: { idempotency: 'repeatable' },
      schema: {
        summary: 'Start a sequence by hand',
        description: `About the subject that the search finds; where it finds several, about the one that was active last. ${gates}`,
        body: enrollBody,
        response,
      },
    },
    async (request, reply) => {
      const { sequence, note, ...search } = request.body;
      if (Object.values(search).filter((value) => value !== undefined).length !== 1)
        return wrongChoice(
          reply,
          'body',
          ['email', 'phone', 'subject_id', 'external_id'],
          'Say whom or what by one of email, phone, subject_id and external_id.',
        );
      const subject = await findSubject(deps, callerOf(request).tenantId, searchOf(search));
      if (subject.kind === 'unreadable') return unfindable(reply, subject, 'body');
      if (subject.found === null) return refuseStart(reply, { kind: 'unknown_subject' });
      return start(request, reply, { subjectId: subject.found, sequence: sequence === undefined ? null : { slug: sequence }, note });
    },
  );

  app.post(
    '/api/enrollments/:id/re-enroll',
    {
      config: { idempotency: 'repeatable' },
      schema: {
        summary: 'Start the sequence of an enrollment again',
        description: `About the same subject, with the sequence’s present version, whatever ended it. ${gates}`,
        params: idParams,
        body: reEnrollBody,
        response,
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const view = isId(id) ? await readEnrollment(deps, callerOf(request).tenantId, id) : null;
      if (view === null) return problem(reply, 404, ...unknown);
      const { subjectId, sequenceId } = view.row;
      return start(request, reply, { subjectId, sequence: { id: sequenceId }, note: request.body?.note });
    },
  );
}

/** A person answers the one whom an enrollment is about, or is done. */
function takeoverRoutes(app: Parameters<typeof routes>[0], { deps, workflows: links }: ResourceOptions): void {
  const response = { 200: enrollmentSchema, ...problems(401, 404, 429, 503) };
  const about = {
    take_over: {
      path: '/api/enrollments/:id/takeover',
      summary: 'Take a conversation over',
      description:
        'Nothing is sent to the person any more, in any sequence, until they are released or `takeoverHours` are over. Answered when no call of theirs is open.',
    },
    release: {
      path: '/api/enrollments/:id/release',
      summary: 'Release a conversation',
      description: 'The person’s sequences go on at once; what is too old by then is skipped.',
    },
  } as const;
  for (const does of ['take_over', 'release'] as const) {
    const { path, ...words } = about[does];
    app.post(path, { schema: { params: idParams, ...words, response } }, async (request, reply) => {
      const { tenantId } = callerOf(request);
      const { id } = request.params;
      const done = isId(id) ? await takeOverByHand(deps, { tenantId, enrollmentId: id, actor: actorOf(request), does }) : 'not_found';
      if (done === 'busy')
        return problem(
          reply.header('retry-after', '1'),
          503,
          'busy',
          'Somebody else is changing this person right now, or a message is on its way. Ask again.',
        );
      const view = done === 'done' ? await readEnrollment(deps, tenantId, id) : null;
      return view === null ? problem(reply, 404, ...unknown) : presentEnrollment(view, links);
    });
  }
}

function refuseStart(reply: FastifyReply, refusal: Exclude<HandStarted, { kind: 'enrolled' }>): FastifyReply {
  switch (refusal.kind) {
    case 'refused':
      return problem(reply, 409, refusal.reason, refusal.detail, refusal.enrollmentId === null ? {} : { enrollment: refusal.enrollmentId });
    case 'unknown_subject':
      return problem(reply, 404, 'unknown_subject', 'Nothing is known that a sequence could be about: no cart and no lead is found.');
    case 'no_sequence':
      return problem(reply, 409, 'no_sequence', refusal.detail);
    case 'several_sequences':
      return problem(reply, 409, 'several_sequences', `Several sequences are about that: say which, ${refusal.slugs.join(' or ')}.`);
    case 'key_reused':
      return keyReused(reply);
    case 'busy':
      return problem(
        reply.header('retry-after', '1'),
        503,
        'busy',
        'Somebody else is changing this person right now; nothing was started. Ask again.',
      );
  }
}

export const resource: Resource = {
  tag: { name: 'enrollments', description: 'One person’s way through a sequence, explained.' },
  guard: 'tenant',
  changes: 'operate',
  routes,
};
