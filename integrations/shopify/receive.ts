import type { z } from 'zod';
import type { DomainEvent, PersonDetails, SubjectKey } from '../../domain/events.ts';
import type { EpochMs } from '../../domain/sequence/plan.ts';
import type { Delivery, Normalised, Receiver } from '../port.ts';
import { asDedupeKey, cleanText, unreadableReason } from '../untrusted-text.ts';
import { signatureMatches, singleHeader } from '../verify-signature.ts';
import { parseExactly } from './parse-exactly.ts';
import {
  cancelledOrderPayload,
  cartPayload,
  checkoutPayload,
  deletedCheckoutPayload,
  orderPayload,
  parseInstant,
  privacyPayload,
  shopPayload,
} from './payloads.ts';
import { shopifyScheme } from './sign.ts';

/**
 * Shopify's webhooks. The signature covers the body only: topic, id and time come in headers that a proxy could alter, so they are
 * trusted as far as TLS is. Source: docs/webhooks.md
 */
export const shopifyReceiver: Receiver = {
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

  normalise(delivery, body) {
    const topic = cleanText(singleHeader(delivery, 'x-shopify-topic'), 100);
    if (topic === null) return { kind: 'unreadable', topic: 'unknown', reason: 'header x-shopify-topic: is missing' };
    const read = readers.get(topic);
    return read === undefined ? { kind: 'ignored', topic } : read(topic, exactBody(delivery, body), delivery);
  },
};

type Read = (topic: string, body: unknown, delivery: Delivery) => Normalised;

/** Parse with a schema, then name the one event that the topic stands for. */
function reader<S extends z.ZodType>(schema: S, toEvent: (payload: z.output<S>, at: Clock) => DomainEvent): Read {
  return (topic, body, delivery) => {
    const parsed = schema.safeParse(body);
    if (!parsed.success) return { kind: 'unreadable', topic, reason: unreadableReason(parsed.error) };
    return { kind: 'events', topic, events: [toEvent(parsed.data, (...stated) => occurredAt(delivery, stated))] };
  };
}

/** The first stated time, else the delivery's own. */
type Clock = (...stated: (EpochMs | null)[]) => EpochMs;

// A completed checkout (`completed_at`) is activity like any other, not a purchase: only an order has an id, a value and may be
// cancelled. As activity it puts a due step off by half an hour, which is the order webhook's time to arrive.
const checkoutUpdated = reader(checkoutPayload, (checkout, at) => {
  const occurredAtMs = at(checkout.updated_at, checkout.created_at);
  return {
    type: 'cart.updated',
    occurredAtMs,
    keys: subjectKeys({ checkout_token: checkout.token, cart_token: checkout.cart_token, checkout_id: checkout.id }),
    person: checkout.person,
    cart: {
      createdAtMs: Math.min(checkout.created_at ?? occurredAtMs, occurredAtMs),
      currency: checkout.currency,
      totalMinor: checkout.totalMinor,
      items: checkout.items,
      restoreUrl: checkout.abandoned_checkout_url,
      origin: null,
      completed: false,
    },
  };
});

const cartUpdated = reader(cartPayload, (cart, at) => {
  const occurredAtMs = at(cart.updated_at, cart.created_at);
  return {
    type: 'cart.updated',
    occurredAtMs,
    keys: subjectKeys({ cart_token: cart.token }),
    person: nobody,
    cart: {
      createdAtMs: Math.min(cart.created_at ?? occurredAtMs, occurredAtMs),
      currency: cart.currency,
      totalMinor: cart.totalMinor,
      items: cart.items,
      restoreUrl: null,
      origin: null,
      completed: false,
    },
  };
});

// `orders/paid` may come days after `orders/create`, by then with a later `updated_at`: the order still happened when it was made, and
// must not stop a cart that is younger.
const orderPlaced = reader(orderPayload, (order, at) => ({
  type: 'order.placed',
  occurredAtMs: at(order.created_at, order.processed_at, order.updated_at),
  keys: subjectKeys({ checkout_token: order.checkout_token, cart_token: order.cart_token, checkout_id: order.checkout_id }),
  person: order.person,
  order: { externalId: order.id, currency: order.currency, totalMinor: order.totalMinor, products: [], noRevenue: null },
}));

const readers: ReadonlyMap<string, Read> = new Map([
  ['checkouts/create', checkoutUpdated],
  ['checkouts/update', checkoutUpdated],
  [
    'checkouts/delete',
    reader(deletedCheckoutPayload, (deleted, at) => ({
      type: 'cart.deleted',
      occurredAtMs: at(deleted.updated_at),
      keys: subjectKeys({ checkout_token: deleted.token, checkout_id: deleted.id }),
    })),
  ],
  ['carts/create', cartUpdated],
  ['carts/update', cartUpdated],
  ['orders/create', orderPlaced],
  ['orders/paid', orderPlaced],
  [
    'orders/cancelled',
    reader(cancelledOrderPayload, (order, at) => ({
      type: 'order.cancelled',
      occurredAtMs: at(order.cancelled_at, order.updated_at),
      order: { externalId: order.id },
    })),
  ],
  // The shop's own times say nothing about the moment of the uninstallation.
  ['app/uninstalled', reader(shopPayload, (_shop, at) => ({ type: 'app.uninstalled', occurredAtMs: at() }))],
  ['customers/data_request', privacyRequested('data_request')],
  ['customers/redact', privacyRequested('redact')],
  ['shop/redact', privacyRequested('shop_redact')],
]);

function privacyRequested(topic: 'data_request' | 'redact' | 'shop_redact'): Read {
  return reader(privacyPayload, ({ customer }, at) => ({
    type: 'privacy.requested',
    occurredAtMs: at(),
    topic,
    person: customer == null ? null : { email: customer.email, phone: customer.phone, externalId: customer.id },
  }));
}

const nobody: PersonDetails = {
  email: null,
  phone: null,
  externalId: null,
  firstName: null,
  lastName: null,
  locale: null,
  timeZone: null,
  country: null,
  region: null,
  orderCount: null,
  lifetimeValueMinor: null,
  consents: [],
};

function subjectKeys(tokens: Record<string, string | null>): SubjectKey[] {
  return Object.entries(tokens).flatMap(([kind, value]) => (value === null ? [] : [{ kind, value }]));
}

/** Events are folded by these times, so a clock that runs ahead must not silence everything that follows: never later than the arrival. */
function occurredAt(delivery: Delivery, stated: (EpochMs | null)[]): EpochMs {
  const time = [...stated, parseInstant(singleHeader(delivery, 'x-shopify-triggered-at'))].find((ms) => ms !== null);
  return Math.min(time ?? delivery.receivedAtMs, delivery.receivedAtMs);
}

/** The body with its ids intact, from the raw bytes; the caller's parse where those are not JSON. */
function exactBody(delivery: Delivery, body: unknown): unknown {
  try {
    return parseExactly(delivery.raw.toString('utf8'));
  } catch {
    return body;
  }
}
