import { createHash } from 'node:crypto';
import type { Delivery, Receiver } from '../port.ts';
import { type Fields, type Notes, readFields } from '../read/notes.ts';
import { exactBody } from '../read/parse-exactly.ts';
import { understood } from '../read/understood.ts';
import { cleanText } from '../untrusted-text.ts';
import { jsonReceiver } from '../verified-receiver.ts';
import { signatureMatches, singleHeader } from '../verify-signature.ts';
import { readCart } from './carts.ts';
import { readCustomerChange } from './customers.ts';
import { readOrder, readOrderDeleted, statusOf, unplaced } from './orders.ts';
import { readProduct } from './products.ts';
import type { Read } from './reading.ts';
import { wooCommerceScheme } from './sign.ts';

interface Topic {
  read: Read;
  /** Whether it may be a purchase. */
  mayBeStop: boolean;
}

// Not here, and so recorded as ignored: `customer.deleted`, which names a number only; `action.*`, which names a cart's line only.
const topics: ReadonlyMap<string, Topic> = new Map([
  ['order.created', { read: readOrder, mayBeStop: true }],
  ['order.updated', { read: readOrder, mayBeStop: true }],
  ['order.restored', { read: readOrder, mayBeStop: true }],
  ['order.deleted', { read: readOrderDeleted, mayBeStop: false }],
  ['customer.created', { read: readCustomerChange, mayBeStop: false }],
  ['customer.updated', { read: readCustomerChange, mayBeStop: false }],
  ['product.created', { read: readProduct, mayBeStop: false }],
  ['product.updated', { read: readProduct, mayBeStop: false }],
  ['product.restored', { read: readProduct, mayBeStop: false }],
  ['rekindle.cart', { read: readCart, mayBeStop: false }],
]);

const signatureHeader = 'x-wc-webhook-signature';
const topicHeader = 'x-wc-webhook-topic';

const signedReceiver = jsonReceiver({
  topics: [...topics.keys()],
  readsHeaders: [topicHeader],
  topicHeader,
  // WooCommerce never repeats a delivery, and turns a webhook off after a few failures.
  answersUnreadable: 'accept',

  verify(delivery, secrets) {
    const signature = singleHeader(delivery, signatureHeader);
    if (signature === null) return 'missing_signature';
    return signatureMatches(wooCommerceScheme, secrets, [delivery.raw], [signature]) ? null : 'bad_signature';
  },

  // Not `X-WC-Webhook-Delivery-ID`: two deliveries of one webhook within a second have the same.
  dedupeKey(delivery) {
    const hash = createHash('sha256');
    for (const name of ['x-wc-webhook-source', topicHeader]) hash.update(`${singleHeader(delivery, name) ?? ''}\n`);
    return `sha256:${hash.update(delivery.raw).digest('hex')}`;
  },

  normalise(delivery, body, store) {
    const notes: Notes = [];
    const topic = cleanText(singleHeader(delivery, topicHeader), 100);
    if (topic === null) {
      notes.push({ field: `header ${topicHeader}`, reason: 'is missing' });
      return understood('unknown', [], notes, true);
    }
    const known = topics.get(topic);
    if (known === undefined) return { kind: 'ignored', topic };
    const fields = readFields(exactBody(delivery.raw, body), 'body', notes);
    if (fields === null) return understood(topic, [], notes, known.mayBeStop);
    const refusal = errorIn(fields);
    if (refusal !== null) {
      const reason = `WooCommerce could not read it itself and delivered its error ${refusal} instead: see that the user of the webhook may read orders and customers, and save one again`;
      return {
        kind: 'unreadable',
        topic,
        reason,
        fields: [{ field: 'code', reason: 'is an error of WooCommerce’s own API' }],
        mayBeStop: known.mayBeStop,
      };
    }
    const reading = { topic, body: fields, notes, store, receivedAtMs: delivery.receivedAtMs };
    if (known.read === readOrder && unplaced.has(statusOf(reading))) return { kind: 'ignored', topic };
    return understood(topic, known.read(reading), notes, known.mayBeStop);
  },
});

/**
 * WooCommerce's webhooks, and those of the plugin that reports carts. The signature covers the body only: the topic is trusted as far as TLS
 * is. Source: docs/webhooks.md
 */
export const wooCommerceReceiver: Receiver = {
  ...signedReceiver,
  receive: (delivery, secrets, store) =>
    isCreationPing(delivery) ? { kind: 'answer', status: 200 } : signedReceiver.receive(delivery, secrets, store),
};

/**
 * The code of an error of WooCommerce's REST API, which a webhook delivers instead of the order or customer where its user may not read it.
 * @returns null: the body is no error
 */
function errorIn({ code, message, data, id }: Fields): string | null {
  const isError = typeof code === 'string' && typeof message === 'string' && typeof data === 'object' && data !== null && 'status' in data;
  return isError && id === undefined ? (cleanText(code, 100) ?? 'without a code') : null;
}

/** A webhook that is saved announces itself, without signature and as a form, and is only activated when this is answered 200. */
function isCreationPing(delivery: Delivery): boolean {
  return singleHeader(delivery, signatureHeader) === null && /^webhook_id=\d{1,20}$/.test(delivery.raw.toString('latin1'));
}
