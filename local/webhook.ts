import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { signStandardWebhook } from '../integrations/standard-webhooks.ts';
import { signWooCommerce } from '../integrations/woocommerce/sign.ts';
import { signShopify } from '../integrations/shopify/sign.ts';

/** Where an event goes, and the secret it is signed with. */
export interface WebhookTarget {
  url: string;
  secret: string;
}

/** One signed delivery, ready to be posted. */
export interface SignedDelivery {
  url: string;
  headers: Record<string, string>;
  body: string;
}

export interface WebhookAnswer {
  status: number;
  text: string;
  tookMs: number;
}

/** An event in Rekindle's own format, signed by Standard Webhooks. @param nowMs - wall clock, epoch milliseconds */
export function signGeneric(target: WebhookTarget, event: { type: string; data: unknown }, nowMs: number): SignedDelivery {
  const id = `msg_${randomUUID()}`;
  const seconds = Math.floor(nowMs / 1000);
  const body = JSON.stringify({ type: event.type, timestamp: new Date(nowMs).toISOString(), data: event.data });
  return {
    url: target.url,
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(seconds),
      'webhook-signature': signStandardWebhook(target.secret, id, seconds, body),
    },
    body,
  };
}

/** An event as Shopify sends it. @param nowMs - wall clock, epoch milliseconds */
export function signAsShopify(target: WebhookTarget, event: { topic: string; payload: unknown }, nowMs: number): SignedDelivery {
  const body = JSON.stringify(event.payload);
  return {
    url: target.url,
    headers: {
      'content-type': 'application/json',
      'x-shopify-topic': event.topic,
      'x-shopify-webhook-id': randomUUID(),
      'x-shopify-shop-domain': 'demo.myshopify.example.com',
      'x-shopify-triggered-at': new Date(nowMs).toISOString(),
      'x-shopify-hmac-sha256': signShopify(target.secret, body),
    },
    body,
  };
}

/** An event as WooCommerce sends it, or its plugin for carts. */
export function signAsWooCommerce(target: WebhookTarget, event: { topic: string; payload: unknown }): SignedDelivery {
  const body = JSON.stringify(event.payload);
  const [resource = '', name = ''] = event.topic.split('.');
  return {
    url: target.url,
    headers: {
      'content-type': 'application/json',
      'x-wc-webhook-source': 'https://demo.example.com/',
      'x-wc-webhook-topic': event.topic,
      'x-wc-webhook-resource': resource,
      'x-wc-webhook-event': name,
      'x-wc-webhook-delivery-id': randomUUID().replaceAll('-', ''),
      'x-wc-webhook-signature': signWooCommerce(target.secret, body),
    },
    body,
  };
}

/** Post a delivery once. Network errors are thrown; every answer is returned, whatever its status. */
export async function post(delivery: SignedDelivery, timeoutMs = 10_000): Promise<WebhookAnswer> {
  const startedMs = performance.now();
  const response = await fetch(delivery.url, {
    method: 'POST',
    headers: delivery.headers,
    body: delivery.body,
    signal: AbortSignal.timeout(timeoutMs),
  });
  return { status: response.status, text: await response.text(), tookMs: Math.round(performance.now() - startedMs) };
}

const mostRepeats = 6;

/**
 * Post a delivery as providers do: repeated with growing pauses until it is taken.
 * @throws Error where it is refused, or not taken after six repeats; the signal's reason where it is aborted
 */
export async function postUntilTaken(delivery: SignedDelivery, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    signal.throwIfAborted();
    const status = await post(delivery).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status >= 200 && status < 300) return;
    const worthRepeating = status === 0 || status === 429 || status >= 500;
    if (!worthRepeating || attempt === mostRepeats) throw new Error(`${delivery.url} answered ${status === 0 ? 'nothing' : status}`);
    await sleep(500 * 2 ** attempt, undefined, { signal });
  }
}
