import type { Api } from '../api.ts';

export const webhookEndpoints = (api: Api) => ({
  /** Create a webhook endpoint. Its secret is shown once. */
  create: api.withBody('POST /api/webhook-endpoints'),
  /** List webhook endpoints. */
  list: api.withQuery('GET /api/webhook-endpoints'),
  all: api.pages('GET /api/webhook-endpoints'),
  /** Get a webhook endpoint. */
  get: api.plain('GET /api/webhook-endpoints/{id}'),
  /** Change a webhook endpoint. */
  update: api.withBody('PATCH /api/webhook-endpoints/{id}'),
  /** Remove a webhook endpoint. */
  remove: api.plain('DELETE /api/webhook-endpoints/{id}'),
  /** Replace its secret; for a while, both sign. */
  rotateSecret: api.withBody('POST /api/webhook-endpoints/{id}/rotate-secret'),
  /** Send a test event to it. */
  test: api.plain('POST /api/webhook-endpoints/{id}/test'),
  /** List what it was told, the newest first. */
  deliveries: api.withQuery('GET /api/webhook-endpoints/{id}/deliveries'),
  allDeliveries: api.pages('GET /api/webhook-endpoints/{id}/deliveries'),
  /** Get a delivery with its attempts. */
  delivery: api.plain('GET /api/webhook-endpoints/{id}/deliveries/{delivery}'),
  /** Deliver something once more. */
  redeliver: api.plain('POST /api/webhook-endpoints/{id}/deliveries/{delivery}/redeliver'),
  /** Deliver everything once more that has failed since a moment. */
  redeliverFailed: api.withBody('POST /api/webhook-endpoints/{id}/redeliver'),
});
