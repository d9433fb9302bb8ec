import { createHash } from 'node:crypto';
import type { DomainEvent, PersonRef } from '../../domain/events.ts';
import { readAutoReply } from '../../domain/people/auto-reply.ts';
import type { Delivery, StoreContext } from '../port.ts';
import { readInstant } from '../read/instant.ts';
import { type Fields, type Notes, note, readFields } from '../read/notes.ts';
import { readEmail } from '../read/person.ts';
import { readId, readLines, readText } from '../read/text.ts';
import { type Occurred, occurredAt, understood } from '../read/understood.ts';
import { verifyToken } from '../shared-token.ts';
import { asDedupeKey, cleanText } from '../untrusted-text.ts';
import { jsonReceiver } from '../verified-receiver.ts';
import { accountField, accountOf, keyField } from './config.ts';

interface Told {
  fields: Fields;
  notes: Notes;
  occurred: Occurred;
  person: PersonRef;
}

// Opens and clicks are our own: the body that we hand over has our picture and our links.
const kinds: ReadonlyMap<string, (told: Told) => DomainEvent[]> = new Map([
  // Instantly reports no delivery; that it has sent is proof that it had taken the lead.
  ['email_sent', (told) => receipt('message.delivered', told)],
  // It does not say of what kind the bounce is, so the address stays open.
  ['email_bounced', (told) => receipt('message.failed', told)],
  ['reply_received', (told) => reply(told, false)],
  ['auto_reply_received', (told) => reply(told, true)],
  ['lead_unsubscribed', optedOut],
]);

/** Instantly's webhooks. They carry no signature, but the headers that they were made with. Source: developer.instantly.ai/guides/webhook-events */
export const instantlyReceiver = jsonReceiver({
  topics: [...kinds.keys()],
  readsHeaders: [],
  topicHeader: null,
  answersUnreadable: 'accept',
  verify: verifyToken,

  /** An event has no id of its own. */
  dedupeKey(delivery) {
    const fields = fieldsOf(delivery);
    if (typeof fields['event_type'] !== 'string') return null;
    const parts = ['event_type', 'lead_email', 'campaign_id', 'step', 'email_id', 'timestamp'].map((name) => fields[name] ?? null);
    return asDedupeKey(createHash('sha256').update(JSON.stringify(parts)).digest('hex'));
  },

  normalise(delivery, body, store) {
    const notes: Notes = [];
    const fields = readFields(body, 'body', notes);
    const topic = cleanText(fields?.['event_type'], 100);
    if (fields === null || topic === null) {
      if (fields !== null) note(notes, 'event_type', 'is missing or no text');
      return understood('unknown', [], notes, true);
    }
    // A store's own labels come as types, in its own words.
    const read = kinds.get(topic);
    if (read === undefined) return { kind: 'ignored', topic };
    const at = readInstant(fields['timestamp'], 'timestamp', notes, store.timeZone);
    const occurred = occurredAt(at, 'timestamp', notes, delivery.receivedAtMs);
    const person = { email: emailIn(fields, notes, store), phone: null, externalId: null };
    const events = read({ fields, notes, occurred, person });
    return events.length === 0 && notes.length === 0 ? { kind: 'ignored', topic } : understood(topic, events, notes, topic !== 'email_sent');
  },
});

function fieldsOf({ raw }: Delivery): Fields {
  try {
    return readFields(JSON.parse(raw.toString('utf8')), 'body', []) ?? {};
  } catch {
    return {};
  }
}

const emailIn = (fields: Fields, notes: Notes, store: StoreContext) => readEmail([{ value: fields['lead_email'], path: 'lead_email' }], notes, store);

function receipt(type: 'message.delivered' | 'message.failed', { fields, notes, occurred }: Told): DomainEvent[] {
  const account = cleanText(fields[accountField], 40);
  const sendKey = cleanText(fields[keyField], 300);
  // Somebody else's campaign of the same workspace.
  if (account === null || sendKey === null) return [];
  const providerMessageId = readId(fields['email_id'], 'email_id', notes) ?? sendKey;
  return [{ type, ...occurred, message: { account: accountOf(account), providerMessageId, sendKey }, detail: null, permanent: false }];
}

function reply({ fields, notes, occurred, person }: Told, isAutomatic: boolean): DomainEvent[] {
  if (person.email === null) return [];
  const subject = readText(fields['reply_subject'], 'reply_subject', notes, 500);
  const text = readLines(fields['reply_text'] ?? fields['reply_text_snippet'], 'reply_text', notes, 2_000);
  const automatic = isAutomatic ? 'header' : readAutoReply({ headers: {}, subject, text });
  return [{ type: 'message.received', ...occurred, person, channel: 'email', subject, text, automatic }];
}

function optedOut({ occurred, person, notes }: Told): DomainEvent[] {
  if (person.email === null) {
    note(notes, 'lead_email', 'names nobody');
    return [];
  }
  return [{ type: 'contact.opted_out', ...occurred, person, channel: 'email', final: false, source: 'instantly', basis: 'person' }];
}
