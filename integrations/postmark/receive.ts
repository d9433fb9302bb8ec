import { createHash } from 'node:crypto';
import type { DomainEvent } from '../../domain/events.ts';
import type { Delivery, StoreContext } from '../port.ts';
import { readInstant } from '../read/instant.ts';
import { type Fields, type Notes, note, readFields } from '../read/notes.ts';
import { readEmail } from '../read/person.ts';
import { readId } from '../read/text.ts';
import { occurredAt, understood } from '../read/understood.ts';
import { verifyToken } from '../shared-token.ts';
import { asDedupeKey, cleanText } from '../untrusted-text.ts';
import { jsonReceiver } from '../verified-receiver.ts';
import { accountField, accountOf, keyField } from './config.ts';

interface Told {
  fields: Fields;
  notes: Notes;
  store: StoreContext;
  receivedAtMs: number;
}

// Opens and clicks are our own: those of the provider count machines.
const records: ReadonlyMap<string, { time: string; read(told: Told, time: string): DomainEvent[] }> = new Map([
  ['Delivery', { time: 'DeliveredAt', read: (told, time) => receipt('message.delivered', told, time, false) }],
  ['Bounce', { time: 'BouncedAt', read: readBounce }],
  [
    'SpamComplaint',
    { time: 'BouncedAt', read: (told, time) => [...receipt('message.delivered', told, time, false), ...optedOut(told, time, 'Email', true)] },
  ],
  ['SubscriptionChange', { time: 'ChangedAt', read: readSubscription }],
]);
/** Bounces after which the message may still come, or that are no bounces at all. */
const notYet = new Set(['transient', 'autoresponder', 'addresschange', 'subscribe', 'challengeverification', 'openrelaytest']);
/** The address does not exist, or Postmark takes nothing more for it. */
const forGood = new Set(['hardbounce', 'bademailaddress', 'manuallydeactivated']);

/** Postmark's webhooks. They carry no signature, so the operator enters a token. Source: postmarkapp.com/developer/webhooks/webhooks-overview */
export const postmarkReceiver = jsonReceiver({
  topics: [...records.keys()],
  readsHeaders: [],
  topicHeader: null,
  answersUnreadable: 'accept',
  verify: verifyToken,

  dedupeKey(delivery) {
    const fields = fieldsOf(delivery);
    const text = (name: string) => (typeof fields[name] === 'string' || typeof fields[name] === 'number' ? String(fields[name]) : '');
    const record = text('RecordType');
    const time = text(records.get(record)?.time ?? '');
    const id = text('ID') === '' ? text('MessageID') : text('ID');
    if (record === '' || (id === '' && time === '')) return null;
    return asDedupeKey(
      createHash('sha256')
        .update(JSON.stringify([record, id, time, text('Recipient')]))
        .digest('hex'),
    );
  },

  normalise(delivery, body, store) {
    const notes: Notes = [];
    const fields = readFields(body, 'body', notes);
    const topic = cleanText(fields?.['RecordType'], 40);
    if (fields === null || topic === null) {
      if (fields !== null) note(notes, 'RecordType', 'is missing or no text');
      return understood('unknown', [], notes, true);
    }
    const known = records.get(topic);
    if (known === undefined) return { kind: 'ignored', topic };
    const events = known.read({ fields, notes, store, receivedAtMs: delivery.receivedAtMs }, known.time);
    return events.length === 0 && notes.length === 0 ? { kind: 'ignored', topic } : understood(topic, events, notes, topic !== 'Delivery');
  },
});

function fieldsOf({ raw }: Delivery): Fields {
  try {
    return readFields(JSON.parse(raw.toString('utf8')), 'body', []) ?? {};
  } catch {
    return {};
  }
}

const whenOf = ({ fields, notes, store, receivedAtMs }: Told, time: string) =>
  occurredAt(readInstant(fields[time], time, notes, store.timeZone), time, notes, receivedAtMs);

function receipt(
  type: 'message.delivered' | 'message.failed',
  told: Told,
  time: string,
  permanent: boolean,
  detail: string | null = null,
): DomainEvent[] {
  const { fields, notes } = told;
  const metadata = readFields(fields['Metadata'], 'Metadata', notes);
  // Somebody else sends by the same server.
  const account = cleanText(metadata?.[accountField], 40);
  if (account === null) return [];
  const providerMessageId = readId(fields['MessageID'], 'MessageID', notes);
  if (providerMessageId === null) {
    note(notes, 'MessageID', 'is missing');
    return [];
  }
  const sendKey = cleanText(metadata?.[keyField], 100);
  const message = { account: accountOf(account), providerMessageId, ...(sendKey === null ? {} : { sendKey }) };
  return [{ type, ...whenOf(told, time), message, detail, permanent }];
}

function readBounce(told: Told, time: string): DomainEvent[] {
  const kind = cleanText(told.fields['Type'], 40) ?? 'bounced';
  const folded = kind.toLowerCase();
  if (notYet.has(folded)) return [];
  if (folded === 'unsubscribe') return optedOut(told, time, 'Email', false);
  const isForGood = forGood.has(folded) || told.fields['Inactive'] === true;
  return receipt('message.failed', told, time, isForGood, kind === 'bounced' ? kind : `bounced: ${kind}`);
}

function readSubscription(told: Told, time: string): DomainEvent[] {
  // Reactivating an address at Postmark is no consent of its person; bounces are told as such.
  if (told.fields['SuppressSending'] !== true) return [];
  const reason = cleanText(told.fields['SuppressionReason'], 40)?.toLowerCase() ?? 'manualsuppression';
  return reason === 'hardbounce' ? [] : optedOut(told, time, 'Recipient', reason === 'spamcomplaint');
}

function optedOut(told: Told, time: string, field: string, final: boolean): DomainEvent[] {
  const { fields, notes, store } = told;
  const email = readEmail([{ value: fields[field], path: field }], notes, store);
  if (email === null) {
    note(notes, field, 'names nobody');
    return [];
  }
  const person = { email, phone: null, externalId: null };
  return [{ type: 'contact.opted_out', ...whenOf(told, time), person, channel: 'email', final, source: 'postmark', basis: 'person' }];
}
