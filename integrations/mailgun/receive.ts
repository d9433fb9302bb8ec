import type { DomainEvent } from '../../domain/events.ts';
import type { Delivery, Refusal, Secrets, StoreContext } from '../port.ts';
import { readInstant } from '../read/instant.ts';
import { type Fields, type Notes, note, readFields } from '../read/notes.ts';
import { readEmail } from '../read/person.ts';
import { readId } from '../read/text.ts';
import { type Occurred, occurredAt, understood } from '../read/understood.ts';
import { asDedupeKey, cleanText } from '../untrusted-text.ts';
import { jsonReceiver } from '../verified-receiver.ts';
import { signatureMatches } from '../verify-signature.ts';
import { accountField, accountOf, bareId, keyField } from './config.ts';

interface Told {
  data: Fields;
  notes: Notes;
  store: StoreContext;
  occurred: Occurred;
}

// Opens and clicks are our own: those of the provider count machines.
const kinds: ReadonlyMap<string, (told: Told) => DomainEvent[]> = new Map([
  ['delivered', (told) => receipt('message.delivered', told, false)],
  ['failed', readFailure],
  ['complained', (told) => [...receipt('message.delivered', told, false), ...optedOut(told, true)]],
  ['unsubscribed', (told) => optedOut(told, false)],
]);
// Mailgun repeats a delivery for eight hours.
const oldestMs = 12 * 3_600_000;
const aheadMs = 5 * 60_000;

/**
 * Mailgun's webhooks. The signature covers a time and a token, and nothing of the event: each token counts once, so that whoever has seen one delivery
 * can make no other.
 * Source: documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks
 */
export const mailgunReceiver = jsonReceiver({
  topics: [...kinds.keys()],
  readsHeaders: [],
  topicHeader: null,
  answersUnreadable: 'accept',
  verify,

  dedupeKey(delivery) {
    const { token } = signatureOf(delivery);
    return token === null ? null : asDedupeKey(token);
  },

  normalise(delivery, body, store) {
    const notes: Notes = [];
    const data = readFields(readFields(body, 'body', notes)?.['event-data'], 'event-data', notes);
    const topic = cleanText(data?.['event'], 40);
    if (data === null || topic === null) {
      note(notes, 'event-data.event', 'is missing or no text');
      return understood('unknown', [], notes, true);
    }
    const read = kinds.get(topic);
    if (read === undefined) return { kind: 'ignored', topic };
    const at = readInstant(data['timestamp'], 'event-data.timestamp', notes, store.timeZone);
    const occurred = occurredAt(at, 'event-data.timestamp', notes, delivery.receivedAtMs);
    const events = read({ data, notes, store, occurred });
    return events.length === 0 && notes.length === 0 ? { kind: 'ignored', topic } : understood(topic, events, notes, topic !== 'delivered');
  },
});

function signatureOf({ raw }: Delivery): { timestamp: string | null; token: string | null; signature: string | null } {
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : null);
  try {
    const fields = readFields(readFields(JSON.parse(raw.toString('utf8')), 'body', [])?.['signature'], 'signature', []);
    return { timestamp: text(fields?.['timestamp']), token: text(fields?.['token']), signature: text(fields?.['signature']) };
  } catch {
    return { timestamp: null, token: null, signature: null };
  }
}

function verify(delivery: Delivery, secrets: Secrets): Refusal | null {
  const { timestamp, token, signature } = signatureOf(delivery);
  if (timestamp === null || token === null || signature === null) return 'missing_signature';
  if (!signatureMatches({ algorithm: 'sha256', encoding: 'hex' }, secrets, [timestamp, token], [signature])) return 'bad_signature';
  if (!/^\d{1,12}$/.test(timestamp)) return 'bad_signature';
  const ageMs = delivery.receivedAtMs - Number(timestamp) * 1_000;
  return ageMs > oldestMs || ageMs < -aheadMs ? 'stale' : null;
}

function receipt(
  type: 'message.delivered' | 'message.failed',
  { data, notes, occurred }: Told,
  permanent: boolean,
  detail: string | null = null,
): DomainEvent[] {
  const variables = readFields(data['user-variables'], 'event-data.user-variables', notes);
  // Somebody else sends by the same domain.
  const account = cleanText(variables?.[accountField], 40);
  if (account === null) return [];
  const headers = readFields(readFields(data['message'], 'event-data.message', notes)?.['headers'], 'event-data.message.headers', notes);
  const id = readId(headers?.['message-id'], 'event-data.message.headers.message-id', notes);
  if (id === null) {
    note(notes, 'event-data.message.headers.message-id', 'is missing');
    return [];
  }
  const sendKey = cleanText(variables?.[keyField], 300);
  const message = { account: accountOf(account), providerMessageId: bareId(id), ...(sendKey === null ? {} : { sendKey }) };
  return [{ type, ...occurred, message, detail, permanent }];
}

/** A temporary failure is tried again by Mailgun. For good is a bounce, or an address on Mailgun's own lists; not a full mailbox or a filter. */
function readFailure(told: Told): DomainEvent[] {
  if (cleanText(told.data['severity'], 20)?.toLowerCase() === 'temporary') return [];
  const reason = cleanText(told.data['reason'], 40)?.toLowerCase() ?? null;
  const isForGood = reason !== null && /^(?:bounce|suppress-(?:bounce|complaint|unsubscribe))$/.test(reason);
  return receipt('message.failed', told, isForGood, reason === null ? 'failed' : `failed: ${reason}`);
}

function optedOut({ data, notes, store, occurred }: Told, final: boolean): DomainEvent[] {
  const email = readEmail([{ value: data['recipient'], path: 'event-data.recipient' }], notes, store);
  if (email === null) {
    note(notes, 'event-data.recipient', 'names nobody');
    return [];
  }
  const person = { email, phone: null, externalId: null };
  return [{ type: 'contact.opted_out', ...occurred, person, channel: 'email', final, source: 'mailgun', basis: 'person' }];
}
