import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { BuiltDeps } from '../../../operations/create-deps.ts';
import { listDeliveries } from '../../../operations/read/deliveries.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { problems } from '../../plugins/errors.ts';
import { lineField, nextPage } from '../fields.ts';
import { presentDelivery } from './present.ts';
import { deliverySchema } from './schemas.ts';

/** The state of the webhooks that a store's systems sent. Registered behind `requireApiKey`. */
export const deliveryRoutes: FastifyPluginAsyncZod<{ deps: BuiltDeps }> = async (app, { deps }) => {
  app.get(
    '/api/deliveries',
    {
      schema: {
        tags: ['deliveries'],
        security: [{ apiKey: [] }, { apiKeyHeader: [] }],
        summary: 'List webhook deliveries and what became of them',
        description:
          'Every delivery whose signature was right, the newest first, with the fields that were left out. Where there are more, `Link` names the next page.',
        querystring: z.object({
          delivery_id: lineField(300).optional().meta({ description: 'The sender’s own id of one delivery.' }),
          limit: z.coerce.number().int().min(1).max(500).default(100),
          cursor: z.uuid().optional().meta({ description: 'From the `Link` of the page before.' }),
        }),
        response: { 200: z.array(deliverySchema), ...problems(400, 401, 429, 503) },
      },
    },
    async (request, reply) => {
      const { delivery_id: deliveryId, limit, cursor } = request.query;
      const page = await listDeliveries(deps, callerOf(request).tenantId, { deliveryId: deliveryId ?? null, limit, after: cursor ?? null });
      if (page.next !== null) void reply.header('link', nextPage('/api/deliveries', { delivery_id: deliveryId, limit }, page.next));
      return page.items.map(presentDelivery);
    },
  );
};
