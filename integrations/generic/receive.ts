import type { z } from 'zod';
import type { DomainEvent } from '../../domain/events.ts';
import type { EpochMs } from '../../domain/sequence/plan.ts';
import type { Delivery, Normalised, Receiver } from '../port.ts';
import { asDedupeKey, unreadableReason } from '../untrusted-text.ts';
import { signatureMatches, singleHeader } from '../verify-signature.ts';
import { genericData, genericEnvelope, genericHead } from './schema.ts';
import { standardWebhookKey, standardWebhookParts, standardWebhookScheme } from './sign.ts';

// Standard Webhooks: five minutes either way.
const toleranceMs = 5 * 60_000;

/** Events of a merchant's own systems, signed as Standard Webhooks prescribes. Source: docs/webhooks.md */
export const genericReceiver: Receiver = {
  verify(delivery, secrets) {
    const id = singleHeader(delivery, 'webhook-id');
    const timestamp = singleHeader(delivery, 'webhook-timestamp');
    const signatures = singleHeader(delivery, 'webhook-signature');
    if (id === null || timestamp === null || signatures === null) return 'missing_signature';
    const keys = secrets.map((secret) => standardWebhookKey(secret)).filter((key) => key !== null);
    // `v1a` and later schemes stand in the same list and are not ours to check.
    const candidates = signatures.split(' ').flatMap((signature) => (signature.startsWith('v1,') ? [signature.slice('v1,'.length)] : []));
    const signed = standardWebhookParts(id, timestamp, delivery.raw);
    if (!signatureMatches(standardWebhookScheme, keys, signed, candidates)) return 'bad_signature';
    if (!/^\d{1,12}$/.test(timestamp)) return 'bad_signature';
    return Math.abs(delivery.receivedAtMs - Number(timestamp) * 1_000) > toleranceMs ? 'stale' : null;
  },

  dedupeKey(delivery) {
    const id = singleHeader(delivery, 'webhook-id');
    return id === null ? null : asDedupeKey(id);
  },

  normalise(delivery, body) {
    const envelope = genericEnvelope.safeParse(body);
    if (!envelope.success) return { kind: 'unreadable', topic: 'unknown', reason: unreadableReason(envelope.error) };
    const topic = envelope.data.type;
    const read = readers.get(topic);
    return read === undefined ? { kind: 'ignored', topic } : read(body, delivery);
  },
};

type Read = (body: unknown, delivery: Delivery) => Normalised;

function reader<S extends z.ZodType>(topic: string, schema: S, toEvent: (data: z.output<S>, occurredAtMs: EpochMs) => DomainEvent): [string, Read] {
  const read: Read = (body, delivery) => {
    const head = genericHead.safeParse(body);
    if (!head.success) return { kind: 'unreadable', topic, reason: unreadableReason(head.error) };
    // Events are folded by their timestamps: one from next year would silence everything that follows.
    if (head.data.timestamp > delivery.receivedAtMs + toleranceMs) return { kind: 'unreadable', topic, reason: 'timestamp: lies in the future' };
    const data = schema.safeParse(head.data.data);
    if (!data.success) return { kind: 'unreadable', topic, reason: unreadableReason(data.error, 'data') };
    return { kind: 'events', topic, events: [toEvent(data.data, head.data.timestamp)] };
  };
  return [topic, read];
}

const readers: ReadonlyMap<string, Read> = new Map<string, Read>([
  reader('cart.updated', genericData['cart.updated'], (data, occurredAtMs) => ({
    type: 'cart.updated',
    occurredAtMs,
    keys: [{ kind: 'external', value: data.id }],
    person: data.person,
    cart: {
      createdAtMs: Math.min(data.created_at ?? occurredAtMs, occurredAtMs),
      currency: data.currency,
      totalMinor: data.totalMinor,
      items: data.items,
      restoreUrl: data.restore_url ?? null,
      origin: null,
      completed: false,
    },
  })),
  reader('order.placed', genericData['order.placed'], (data, occurredAtMs) => ({
    type: 'order.placed',
    occurredAtMs,
    keys: data.cartId === null ? [] : [{ kind: 'external', value: data.cartId }],
    person: data.person,
    order: { externalId: data.id, currency: data.currency, totalMinor: data.totalMinor, products: [], noRevenue: null },
  })),
  reader('order.cancelled', genericData['order.cancelled'], (data, occurredAtMs) => ({
    type: 'order.cancelled',
    occurredAtMs,
    order: { externalId: data.order.id },
  })),
  reader('contact.updated', genericData['contact.updated'], (person, occurredAtMs) => ({ type: 'contact.updated', occurredAtMs, person })),
  reader('message.received', genericData['message.received'], (data, occurredAtMs) => ({
    type: 'message.received',
    occurredAtMs,
    person: data.contact,
    channel: data.channel,
    text: data.text ?? null,
  })),
  reader('contact.opted_out', genericData['contact.opted_out'], (data, occurredAtMs) => ({
    type: 'contact.opted_out',
    occurredAtMs,
    person: data.contact,
    channel: data.channel == null || data.channel === 'all' ? null : data.channel,
    final: data.final ?? false,
    source: data.source ?? 'webhook',
    basis: 'person',
  })),
  reader('contact.opted_in', genericData['contact.opted_in'], (data, occurredAtMs) => ({
    type: 'contact.opted_in',
    occurredAtMs,
    person: data.contact,
    channel: data.channel,
    source: data.source ?? 'webhook',
    wording: data.wording ?? null,
    basis: 'person',
    confirmed: true,
  })),
]);
