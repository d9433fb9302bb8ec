import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { liftSuppression, listSuppressions, mayBeLifted, type SuppressionRow } from '../../../operations/suppressions.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, isoTime, isoTimeOrNull, lineField, timeField } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const suppressionSchema = z
  .object({
    id: z.uuid(),
    channel: z.string().meta({ description: '`all`: every channel.' }),
    reason: z.enum(['opted_out', 'bounce', 'complaint', 'refused']).meta({
      description:
        '`opted_out`: an unsubscribe or a STOP. `bounce`: the address does not exist, as the provider reported later. `complaint`: a complaint or a final opt-out. `refused`: the provider refused the address for good.',
    }),
    basis: z.enum(['person', 'record']).nullable().meta({ description: 'Who stated it; null: not known.' }),
    may_be_lifted: z.boolean().meta({ description: 'An opt-out is lifted by the person alone, a complaint by nobody.' }),
    since: timeField,
    lifted_at: timeField.nullable(),
  })
  .meta({ id: 'Suppression' });

const list = aList({
  name: 'suppressions',
  item: suppressionSchema,
  filters: {
    email: lineField(320).optional().meta({ description: 'Of one person. Read as in a webhook.' }),
    phone: lineField(60).optional().meta({ description: 'Of one person. Read as in a webhook.' }),
  },
});

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/suppressions',
    {
      schema: {
        summary: 'List what keeps messages from addresses',
        description: 'Those in force, the latest first. Addresses are stored as hashes, so they are not shown; search by one.',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request, reply) => {
      const { limit, sort, cursor, ...search } = request.query;
      const result = await listSuppressions(deps, callerOf(request).tenantId, search, pageWanted({ limit, sort, cursor }));
      if (result.kind === 'found') return list.present(request.query.sort, result.found, presentSuppression);
      return invalidRequest(reply, [
        { path: `querystring/${result.field}`, message: result.field === 'email' ? 'is no email address' : 'is no telephone number' },
      ]);
    },
  );

  app.post(
    '/api/suppressions/:id/lift',
    {
      schema: {
        summary: 'Lift a suppression',
        description: 'An address that had bounced or was refused works again. An opt-out or a complaint cannot be lifted: 409.',
        params: idParams,
        response: { 200: suppressionSchema, ...problems(401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const lifted = isId(id)
        ? await liftSuppression(deps, { tenantId: callerOf(request).tenantId, id, actor: actorOf(request) })
        : ({ kind: 'not_found' } as const);
      if (lifted.kind === 'lifted') return presentSuppression(lifted.suppression);
      if (lifted.kind === 'not_found') return problem(reply, 404, 'unknown_suppression', 'No suppression of yours has this id.');
      return problem(
        reply,
        409,
        'not_liftable',
        lifted.reason === 'complaint' ? 'A complaint is final.' : 'Only the person takes an opt-out back, by START or an opt-in.',
      );
    },
  );
};

function presentSuppression(row: SuppressionRow): z.input<typeof suppressionSchema> {
  return {
    id: row.id,
    channel: row.channel,
    reason: row.reason,
    basis: row.basis,
    may_be_lifted: mayBeLifted(row),
    since: isoTime(row.since),
    lifted_at: isoTimeOrNull(row.liftedAt),
  };
}

export const resource: Resource = {
  tag: { name: 'suppressions', description: 'Addresses that get nothing: opt-outs, bounces, complaints, refusals.' },
  guard: 'tenant',
  changes: 'administer',
  routes,
};
