import type { Delivery } from '../port.ts';
import { readInstant } from '../read/instant.ts';
import { type Notes, readFields } from '../read/notes.ts';
import { exactBody } from '../read/parse-exactly.ts';
import { understood } from '../read/understood.ts';
import { asDedupeKey, cleanText } from '../untrusted-text.ts';
import { jsonReceiver } from '../verified-receiver.ts';
import { signatureMatches, singleHeader } from '../verify-signature.ts';
import { readCart, readCheckout, readDeletedCheckout } from './carts.ts';
import { privacyRequested, readConsentChange, readCustomerChange, readUninstalled } from './customers.ts';
import { readOrder, readOrderCancelled, readOrderUpdate, readRefund } from './orders.ts';
import { readProduct } from './products.ts';
import type { Read } from './reading.ts';
import { shopifyScheme } from './sign.ts';

interface Topic {
  read: Read;
  /** Whether it may be a purchase or an opt-out. */
  mayBeStop: boolean;
}

const stop = (read: Read): Topic => ({ read, mayBeStop: true });
const other = (read: Read): Topic => ({ read, mayBeStop: false });

// Not here, and so recorded as ignored: `orders/edited`, which has no totals (`orders/updated` follows it); `orders/delete`, which only means that
// the shop removed the record; `inventory_levels/update`, which names neither the product nor what all locations have together (`products/update`
// follows it); `customers/delete` and `customers/disable`, which say nothing about marketing (`customers/redact` does).
const topics: ReadonlyMap<string, Topic> = new Map([
  ['checkouts/create', other(readCheckout)],
  ['checkouts/update', other(readCheckout)],
  ['checkouts/delete', other(readDeletedCheckout)],
  ['carts/create', other(readCart)],
  ['carts/update', other(readCart)],
  ['orders/create', stop(readOrder)],
  ['orders/paid', stop(readOrder)],
  ['orders/updated', stop(readOrderUpdate)],
  ['orders/fulfilled', stop(readOrderUpdate)],
  ['orders/partially_fulfilled', stop(readOrderUpdate)],
  ['orders/cancelled', stop(readOrderCancelled)],
  ['refunds/create', other(readRefund)],
  ['customers/create', stop(readCustomerChange)],
  ['customers/update', stop(readCustomerChange)],
  ['customers/enable', stop(readCustomerChange)],
  ['customers_email_marketing_consent/update', stop(readConsentChange)],
  ['customers_marketing_consent/update', stop(readConsentChange)],
  ['products/create', other(readProduct)],
  ['products/update', other(readProduct)],
  ['app/uninstalled', other(readUninstalled)],
  ['customers/data_request', other(privacyRequested('data_request'))],
  ['customers/redact', other(privacyRequested('redact'))],
  ['shop/redact', other(privacyRequested('shop_redact'))],
]);

/**
 * Shopify's webhooks. The signature covers the body only: topic, id and time come in headers that a proxy could alter, so they are
 * trusted as far as TLS is. Source: docs/webhooks.md
 */
export const shopifyReceiver = jsonReceiver({
  topics: [...topics.keys()],
  readsHeaders: ['x-shopify-topic', 'x-shopify-triggered-at'],
  topicHeader: 'x-shopify-topic',
  // Shopify repeats what is not answered 2xx for four hours, and then deletes the subscription.
  answersUnreadable: 'accept',

  verify(delivery, secrets) {
    const signature = singleHeader(delivery, 'x-shopify-hmac-sha256');
    if (signature === null) return 'missing_signature';
    return signatureMatches(shopifyScheme, secrets, [delivery.raw], [signature]) ? null : 'bad_signature';
  },

  dedupeKey(delivery) {
    const webhookId = singleHeader(delivery, 'x-shopify-webhook-id');
    if (webhookId !== null) return asDedupeKey(webhookId);
    // One event may be delivered to several subscriptions, each with its own topic.
    const eventId = singleHeader(delivery, 'x-shopify-event-id');
    return eventId === null ? null : asDedupeKey(`${eventId}:${singleHeader(delivery, 'x-shopify-topic') ?? ''}`);
  },

  normalise(delivery, body, store) {
    const notes: Notes = [];
    const topic = topicOf(delivery);
    if (topic === null) {
      notes.push({ field: 'header x-shopify-topic', reason: 'is missing' });
      return understood('unknown', [], notes, true);
    }
    const known = topics.get(topic);
    if (known === undefined) return { kind: 'ignored', topic };
    const fields = readFields(exactBody(delivery.raw, body), 'body', notes);
    if (fields === null) return understood(topic, [], notes, known.mayBeStop);
    const triggeredAt = readInstant(singleHeader(delivery, 'x-shopify-triggered-at'), 'header x-shopify-triggered-at', notes, 'UTC');
    const reading = { topic, body: fields, notes, store, triggeredAt, receivedAtMs: delivery.receivedAtMs };
    return understood(topic, known.read(reading), notes, known.mayBeStop);
  },
});

function topicOf(delivery: Delivery): string | null {
  return cleanText(singleHeader(delivery, 'x-shopify-topic'), 100);
}
