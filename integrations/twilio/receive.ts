import type { DomainEvent, PersonRef } from '../../domain/events.ts';
import { readKeyword } from '../../domain/people/keywords.ts';
import type { Delivery, Normalised, Reply, StoreContext } from '../port.ts';
import { parseForm } from '../read/form.ts';
import { type Fields, type Notes, note, readFields } from '../read/notes.ts';
import { readPhone } from '../read/person.ts';
import { readId, readLines } from '../read/text.ts';
import { understood } from '../read/understood.ts';
import { asDedupeKey, cleanText } from '../untrusted-text.ts';
import { verifiedReceiver } from '../verified-receiver.ts';
import { accountOf } from './config.ts';
import { isDeadNumber, optedOutCode, readErrorCode } from './error-codes.ts';
import { verifyTwilio } from './sign.ts';

// Statuses that are not final are ignored: queued, sending, sent …
const finalStatuses: ReadonlyMap<string, 'message.delivered' | 'message.failed'> = new Map([
  ['delivered', 'message.delivered'],
  ['read', 'message.delivered'],
  ['undelivered', 'message.failed'],
  ['failed', 'message.failed'],
  ['canceled', 'message.failed'],
]);

/** TwiML without instructions: any other body would be sent to the person as a reply. */
const noReply: Reply = { contentType: 'text/xml', body: '<?xml version="1.0" encoding="UTF-8"?><Response/>' };

/**
 * Twilio's receipts for messages and the texts that people send. They carry no time of their own, so the time of arrival is theirs.
 * Source: twilio.com/docs/messaging/guides/webhook-request, …/track-outbound-message-status
 */
export const twilioReceiver = verifiedReceiver<Fields>({
  topics: ['inbound', ...[...finalStatuses.keys()].map((status) => `status/${status}`)],
  readsHeaders: [],
  topicHeader: null,
  // Twilio does not repeat deliveries that were answered.
  answersUnreadable: 'accept',
  verify: verifyTwilio,
  parse: (delivery) => ({ body: fieldsOf(delivery) }),

  dedupeKey(delivery) {
    const fields = fieldsOf(delivery);
    const sid = sidOf(fields);
    // The token that Twilio puts into a header is not signed; these are.
    return sid === null ? null : asDedupeKey(`${sid}:${textOf(fields['MessageStatus']) ?? 'received'}`);
  },

  normalise: (delivery, fields, store) => ({ ...read(delivery, fields, store), reply: noReply }),
});

/** A form, or JSON where the account has it so. */
function fieldsOf({ raw }: Delivery): Fields {
  if (!/^\s*[[{"]/.test(raw.subarray(0, 20).toString('latin1'))) return parseForm(raw);
  try {
    return readFields(JSON.parse(raw.toString('utf8')), 'body', []) ?? {};
  } catch {
    return {};
  }
}

function textOf(value: unknown): string | null {
  return cleanText(value, 100);
}

function sidOf(fields: Fields): string | null {
  return textOf(fields['MessageSid']) ?? textOf(fields['SmsMessageSid']) ?? textOf(fields['SmsSid']);
}

function read(delivery: Delivery, fields: Fields, store: StoreContext): Normalised {
  const notes: Notes = [];
  const status = textOf(fields['MessageStatus']);
  if (status !== null) {
    const topic = `status/${status.toLowerCase()}`;
    const type = finalStatuses.get(status.toLowerCase());
    return type === undefined ? { kind: 'ignored', topic } : understood(topic, readReceipt(delivery, fields, type, notes, store), notes, false);
  }
  if (sidOf(fields) !== null) return understood('inbound', readText(delivery, fields, notes, store), notes, true);
  // Calls and account events are delivered to other addresses; one that arrives here is ignored.
  if (textOf(fields['CallSid']) !== null) return { kind: 'ignored', topic: 'call' };
  note(notes, 'MessageSid', 'is missing');
  return understood('unknown', [], notes, true);
}

function readReceipt(
  { receivedAtMs }: Delivery,
  fields: Fields,
  type: 'message.delivered' | 'message.failed',
  notes: Notes,
  store: StoreContext,
): DomainEvent[] {
  const providerMessageId = readId(sidOf(fields), 'MessageSid', notes);
  const accountSid = readId(fields['AccountSid'], 'AccountSid', notes);
  if (providerMessageId === null || accountSid === null) {
    note(notes, 'AccountSid', 'or the message is missing');
    return [];
  }
  const code = readErrorCode(fields['ErrorCode']);
  const failed = type === 'message.failed';
  const receipt: DomainEvent = {
    type,
    occurredAtMs: receivedAtMs,
    message: { account: accountOf(accountSid), providerMessageId },
    detail: code === null ? null : `Twilio error ${code}`,
    permanent: failed && isDeadNumber(code),
  };
  if (code !== optedOutCode) return [receipt];
  const person = personOf(fields['To'], 'To', notes, store);
  return person === null ? [receipt] : [receipt, optedOut(person, receivedAtMs)];
}

function readText({ receivedAtMs }: Delivery, fields: Fields, notes: Notes, store: StoreContext): DomainEvent[] {
  const person = personOf(fields['From'], 'From', notes, store);
  if (person === null) return [];
  const text = fields['Body'] === '' ? null : readLines(fields['Body'], 'Body', notes, 2_000);
  const received: DomainEvent = { type: 'message.received', occurredAtMs: receivedAtMs, person, channel: 'sms', text };
  // Twilio recognises the account's own keywords, in any language. The usual ones are read from the text.
  const keyword = text === null ? null : readKeyword(text);
  const meaning = textOf(fields['OptOutType'])?.toUpperCase();
  const known = meaning === 'STOP' ? keyword === 'opt_out' || keyword === 'stop_all' : keyword === 'opt_in';
  if (known || (meaning !== 'STOP' && meaning !== 'START')) return [received];
  if (meaning === 'STOP') return [received, optedOut(person, receivedAtMs)];
  return [
    received,
    {
      type: 'contact.opted_in',
      occurredAtMs: receivedAtMs,
      person,
      channel: 'sms',
      source: 'twilio',
      wording: text,
      basis: 'person',
      confirmed: true,
    },
  ];
}

function optedOut(person: PersonRef, occurredAtMs: number): DomainEvent {
  return { type: 'contact.opted_out', occurredAtMs, person, channel: 'sms', final: false, source: 'twilio', basis: 'person' };
}

/** The person of a number. Texts by another service of Twilio's name it first: `rcs:+1…`, `whatsapp:+1…`. */
function personOf(value: unknown, path: string, notes: Notes, store: StoreContext): PersonRef | null {
  const number = typeof value === 'string' ? value.trim().replace(/^[a-z]{2,20}:/i, '') : '';
  // Short codes and sender names are no persons, and would be read as numbers of the store's country.
  const phone = number.startsWith('+') ? readPhone([{ value: number, path }], notes, store, null) : null;
  if (phone === null) note(notes, path, 'names nobody');
  return phone === null ? null : { email: null, phone, externalId: null };
}
