import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { BuiltDeps } from '../../../operations/create-deps.ts';
import { readEnrollment } from '../../../operations/read/enrollment.ts';
import { explainEnrollment } from '../../../operations/read/explain.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { idParams, isId } from '../fields.ts';
import type { WorkflowLinks } from '../workflow-links.ts';
import { presentEnrollment, presentExplanation } from './present.ts';
import { enrollmentSchema, explanationSchema } from './schemas.ts';

/** One enrollment, and everything that is recorded of it. Registered behind `requireApiKey`. */
export const enrollmentRoutes: FastifyPluginAsyncZod<{ deps: BuiltDeps; links: WorkflowLinks }> = async (app, { deps, links }) => {
  const shared = { tags: ['enrollments'], security: [{ apiKey: [] }, { apiKeyHeader: [] }], params: idParams };
  const unknown = ['unknown_enrollment', 'There is no such enrollment.'] as const;

  app.get(
    '/api/enrollments/:id',
    {
      schema: {
        ...shared,
        summary: 'Show an enrollment',
        description: 'Where a shopper stands in a sequence: each step with its state, what comes next, the workflow in Temporal.',
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
