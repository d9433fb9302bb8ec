import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { listDeliveries } from '../../../operations/read/deliveries.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { problems } from '../../plugins/errors.ts';
import { lineField } from '../../routes/fields.ts';
import { presentDelivery } from './present.ts';
import { deliverySchema } from './schemas.ts';
import { aList, pageWanted } from '../list.ts';
import { type Resource, type ResourceOptions } from '../resource.ts';

const list = aList({
  name: 'deliveries',
  item: deliverySchema,
  filters: { delivery_id: lineField(300).optional().meta({ description: 'The sender’s own id of one delivery.' }) },
});

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/deliveries',
    {
      schema: {
        summary: 'List webhook deliveries and what became of them',
        description: 'Every delivery whose signature was right, the newest first, with the fields that were left out.',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { delivery_id: deliveryId = null, limit, sort, cursor } = request.query;
      return list.present(
        request.query.sort,
        await listDeliveries(deps, callerOf(request).tenantId, { deliveryId, ...pageWanted({ limit, sort, cursor }) }),
        presentDelivery,
      );
    },
  );
};

export const resource: Resource = {
  tag: { name: 'deliveries', description: 'What became of the webhooks that a store’s systems sent.' },
  guard: 'tenant',
  changes: null,
  routes,
};
