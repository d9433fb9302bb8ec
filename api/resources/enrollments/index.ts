import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { readEnrollment } from '../../../operations/read/enrollment.ts';
import { explainEnrollment, explainFound } from '../../../operations/read/explain.ts';
import { findEnrollments, type Search } from '../../../operations/read/find-enrollments.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problem, problems } from '../../plugins/errors.ts';
import { idParams, isId } from '../../routes/fields.ts';
import { aList } from '../list.ts';
import { type Resource, type ResourceOptions, securityOf } from '../resource.ts';
import { presentEnrollment, presentExplanation, presentFound } from './present.ts';
import { enrollmentSchema, explanationSchema, foundSchema, searchFilters, statusSchema } from './schemas.ts';

const list = aList({
  name: 'enrollments',
  item: enrollmentSchema,
  filters: { ...searchFilters, status: statusSchema.optional() },
  usual: 50,
  most: 100,
});
const searchQuery = z.strictObject(searchFilters);

/** Enrollments by what the shop knows of them, one of them, and everything that is recorded of it. */
const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps, workflows: links }) => {
  const guarded = { tags: ['enrollments'], security: securityOf('tenant') };
  const shared = { ...guarded, params: idParams };
  const unknown = ['unknown_enrollment', 'There is no such enrollment.'] as const;

  app.get(
    '/api/enrollments',
    {
      schema: {
        ...guarded,
        summary: 'Find enrollments',
        description:
          'By an email address, a number, what it is about or any id of the source’s; without any of these, all of them. The newest first, running and ended ones.',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request, reply) => {
      const { status, limit, cursor, ...search } = request.query;
      const page = { status: status ?? null, limit, after: cursor ?? null };
      const result = await findEnrollments(deps, callerOf(request).tenantId, searchOf(search), page);
      if (result.kind === 'unreadable') return unreadable(reply, result.field);
      return list.present(result.found, (view) => presentEnrollment(view, links));
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
        return invalidRequest(reply, [], 'Say whom or what: email, phone, subject_id or external_id.');
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

export const resource: Resource = {
  tag: { name: 'enrollments', description: 'One person’s way through a sequence, explained.' },
  guard: 'tenant',
  routes,
};

const searchOf = ({ email, phone, cart_id: cartId, subject_id: subjectId, external_id: externalId }: z.output<typeof searchQuery>): Search => ({
  email,
  phone,
  subjectId: subjectId ?? cartId,
  externalId,
});

/** Nobody can be found by what can be no address: said as such, because an empty list would read as "not known". */
function unreadable(reply: FastifyReply, field: 'email' | 'phone'): FastifyReply {
  const message = field === 'email' ? 'is no email address' : 'is no telephone number; write it with its country code: +43660…';
  return invalidRequest(reply, [{ path: `querystring/${field}`, message }]);
}
