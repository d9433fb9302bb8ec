import { readInstant } from '../read/instant.ts';
import { type Fields, type Notes, note, readFields } from '../read/notes.ts';
import { exactBody } from '../read/parse-exactly.ts';
import { occurredAt, understood } from '../read/understood.ts';
import { asDedupeKey, cleanText } from '../untrusted-text.ts';
import { jsonReceiver } from '../verified-receiver.ts';
import { singleHeader } from '../verify-signature.ts';
import { readBehaviourReported } from './behaviour.ts';
import { readCartUpdated } from './carts.ts';
import { readContactUpdated, readMessageReceived, readOptedIn, readOptedOut } from './contacts.ts';
import { readFactsUpdated, readMarketTriggers } from './facts.ts';
import { readLeadContacted, readLeadCreated, readViewingReported } from './leads.ts';
import { readOrderCancelled, readOrderPlaced, readOrderUpdated } from './orders.ts';
import type { Read } from './reading.ts';
import { verifyStandardWebhook } from '../standard-webhooks.ts';

interface Type {
  read: Read;
  /** Whether it is a purchase, a reply or an opt-out. */
  mayBeStop: boolean;
}

// docs/webhooks.md shows an example of each.
const types: ReadonlyMap<string, Type> = new Map([
  ['cart.updated', { read: readCartUpdated, mayBeStop: false }],
  ['lead.created', { read: readLeadCreated, mayBeStop: false }],
  ['lead.contacted', { read: readLeadContacted, mayBeStop: true }],
  ['viewing.reported', { read: readViewingReported, mayBeStop: true }],
  // It may have an order or a message in it.
  ['behaviour.reported', { read: readBehaviourReported, mayBeStop: true }],
  ['order.placed', { read: readOrderPlaced, mayBeStop: true }],
  ['order.updated', { read: readOrderUpdated, mayBeStop: false }],
  ['order.cancelled', { read: readOrderCancelled, mayBeStop: false }],
  // It may carry the person's "denied".
  ['contact.updated', { read: readContactUpdated, mayBeStop: true }],
  ['message.received', { read: readMessageReceived, mayBeStop: true }],
  ['contact.opted_out', { read: readOptedOut, mayBeStop: true }],
  ['facts.updated', { read: readFactsUpdated, mayBeStop: false }],
  ['market.triggered', { read: readMarketTriggers, mayBeStop: false }],
  ['contact.opted_in', { read: readOptedIn, mayBeStop: false }],
]);

/** Events of a merchant's own systems, signed as Standard Webhooks prescribes. Source: docs/webhooks.md */
export const genericReceiver = jsonReceiver({
  topics: [...types.keys()],
  readsHeaders: [],
  topicHeader: null,
  // The sender can correct these events, and notices only what is refused.
  answersUnreadable: 'refuse',

  verify: (delivery, secrets) => verifyStandardWebhook(delivery, secrets, 'webhook'),

  dedupeKey(delivery) {
    const id = singleHeader(delivery, 'webhook-id');
    return id === null ? null : asDedupeKey(id);
  },

  normalise(delivery, body, store) {
    const notes: Notes = [];
    const envelope = readFields(exactBody(delivery.raw, body), 'body', notes);
    const topic = envelope === null ? null : typeOf(envelope);
    if (envelope === null || topic === null) {
      if (envelope !== null) note(notes, 'type', 'is missing or no text');
      return understood('unknown', [], notes, true);
    }
    const known = types.get(topic);
    if (known === undefined) return { kind: 'ignored', topic };
    const data = readFields(envelope['data'], 'data', notes);
    if (data === null) {
      note(notes, 'data', 'is missing');
      return understood(topic, [], notes, known.mayBeStop);
    }
    const stated = readInstant(envelope['timestamp'], 'timestamp', notes, store.timeZone);
    const occurred = occurredAt(stated, 'timestamp', notes, delivery.receivedAtMs);
    return understood(topic, known.read({ data, notes, store, occurred }), notes, known.mayBeStop);
  },
});

/** Two spellings of "cancelled", and what is written in capitals, are the same type. */
function typeOf(envelope: Fields): string | null {
  const type = cleanText(envelope['type'], 100);
  const plain = type?.toLowerCase().replace('canceled', 'cancelled') ?? '';
  return types.has(plain) ? plain : type;
}
