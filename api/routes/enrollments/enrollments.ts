import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { BuiltDeps } from '../../../operations/create-deps.ts';
import { readEnrollment } from '../../../operations/read/enrollment.ts';
import { explainEnrollment, explainFound } from '../../../operations/read/explain.ts';
import { findEnrollments, type Search } from '../../../operations/read/find-enrollments.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, nextPage } from '../fields.ts';
import type { WorkflowLinks } from '../workflow-links.ts';
import { presentEnrollment, presentExplanation, presentFound } from './present.ts';
import { enrollmentSchema, explanationSchema, foundSchema, listQuery, searchQuery } from './schemas.ts';

/** Search enrollments, show one, and explain one. Registered behind `requireApiKey`. */
export const enrollmentRoutes: FastifyPluginAsyncZod<{ deps: BuiltDeps; links: WorkflowLinks }> = async (app, { deps, links }) => {
  const guarded = { tags: ['enrollments'], security: [{ apiKey: [] }, { apiKeyHeader: [] }] };
  const shared = { ...guarded, params: idParams };
  const unknown = ['unknown_enrollment', 'There is no such enrollment.'] as const;

  app.get(
    '/api/enrollments',
    {
      schema: {
        ...guarded,
        summary: 'Find enrollments',
        description:
          'By an email address, a number, what it is about or any id of the source’s; without any of these, all of them. The newest first, running and ended ones. Where there are more, `Link` names the next page.',
        querystring: listQuery,
        response: { 200: z.array(enrollmentSchema), ...problems(400, 401, 429, 503) },
      },
    },
    async (request, reply) => {
      const { status, limit, cursor, ...search } = request.query;
      const page = { status: status ?? null, limit, after: cursor ?? null };
      const result = await findEnrollments(deps, callerOf(request).tenantId, searchOf(search), page);
      if (result.kind === 'unreadable') return unreadable(reply, result.field);
      const { items, next } = result.found;
      if (next !== null) void reply.header('link', nextPage('/api/enrollments', { ...search, status, limit }, next));
      return items.map((view) => presentEnrollment(view, links));
    },
  );

  app.get(
    '/api/explain',
    {
      schema: {
        ...guarded,
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
        return problem(reply, 400, 'invalid_request', 'Say whom or what: email, phone, subject_id or external_id.');
      const result = await explainFound(deps, callerOf(request).tenantId, search);
      return result.kind === 'unreadable' ? unreadable(reply, result.field) : presentFound(result.found, links);
    },
  );

  app.get(
    '/api/enrollments/:id',
    {
      schema: {
        ...shared,
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
        ...shared,
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

const searchOf = ({ email, phone, cart_id: cartId, subject_id: subjectId, external_id: externalId }: z.output<typeof searchQuery>): Search => ({
  email,
  phone,
  subjectId: subjectId ?? cartId,
  externalId,
});

/** A text that cannot be an address or a number is refused, because an empty list would read as "not known". */
function unreadable(reply: FastifyReply, field: 'email' | 'phone'): FastifyReply {
  const message = field === 'email' ? 'is no email address' : 'is no telephone number; write it with its country code: +43660…';
  return problem(reply, 400, 'invalid_request', 'The request does not have the shape that this endpoint takes.', {
    errors: [{ path: `querystring/${field}`, message }],
  });
}
