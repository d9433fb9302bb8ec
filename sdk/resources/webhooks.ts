import type { Api, RequestOptions } from '../api.ts';

/** A webhook as its provider sends it: the body as it was signed, and the headers that carry the signature. */
export interface SignedDelivery {
  body: string;
  headers: Readonly<Record<string, string>>;
}

export const webhooks = (api: Api) => ({
  /** Receive a webhook. */
  deliver: (integration: string, connection: string, delivery: SignedDelivery, options?: RequestOptions) =>
    api.request(
      'POST /api/webhooks/{integration}/{connection}',
      { path: [integration, connection], content: { type: 'application/json', data: delivery.body }, headers: delivery.headers },
      options,
    ),
  /** Receive a webhook of a provider that reports by GET. */
  report: api.plain('GET /api/webhooks/{integration}/{connection}'),
  /** Receive a webhook where only one such connection exists. */
  deliverToOnly: (integration: string, delivery: SignedDelivery, options?: RequestOptions) =>
    api.request(
      'POST /api/webhooks/{integration}',
      { path: [integration], content: { type: 'application/json', data: delivery.body }, headers: delivery.headers },
      options,
    ),
  /** Receive a webhook of a provider that reports by GET. */
  reportToOnly: api.plain('GET /api/webhooks/{integration}'),
});
