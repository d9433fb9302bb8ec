import type { DomainEvent } from '../../domain/events.ts';
import type { Normalised, Receiver, StoreContext } from '../port.ts';
import { readInstant } from '../read/instant.ts';
import { type Fields, isAbsent, type Notes, note, readFields, readList } from '../read/notes.ts';
import { readEmail } from '../read/person.ts';
import { readId } from '../read/text.ts';
import { occurredAt, understood } from '../read/understood.ts';
import { asDedupeKey, cleanText } from '../untrusted-text.ts';
import { jsonReceiver } from '../verified-receiver.ts';
import { accountOf, accountTag, keyTag, readKey } from './config.ts';
import { createCertificates, envelopeOf, verifySns } from './sns.ts';
import { confirmationOf, confirmSubscription, subscriptionTopic } from './subscription.ts';

interface Told {
  /** All of the message, and the part that its kind has. */
  message: Fields;
  part: Fields;
  at: string;
  notes: Notes;
  store: StoreContext;
  receivedAtMs: number;
}

// Opens and clicks are our own: those of the provider count machines. `DeliveryDelay` and `Send` say nothing final.
const kinds: ReadonlyMap<string, { part: string; read(told: Told): DomainEvent[] }> = new Map([
  ['Delivery', { part: 'delivery', read: (told) => receipt('message.delivered', told, false) }],
  ['Bounce', { part: 'bounce', read: readBounce }],
  ['Complaint', { part: 'complaint', read: readComplaint }],
  // SES took it and found something in it that it does not send, such as a virus.
  ['Reject', { part: 'reject', read: (told) => receipt('message.failed', told, false, words('rejected', told.part['reason'])) }],
  ['Subscription', { part: 'subscription', read: readSubscription }],
]);
const mostRecipients = 50;

const posts = jsonReceiver({
  topics: [...kinds.keys(), subscriptionTopic],
  readsHeaders: [],
  topicHeader: null,
  answersUnreadable: 'accept',
  verify: verifySns,

  dedupeKey(delivery) {
    const { MessageId: id } = envelopeOf(delivery);
    return typeof id === 'string' && id !== '' ? asDedupeKey(id) : null;
  },

  normalise(delivery, body, store) {
    const notes: Notes = [];
    const envelope = readFields(body, 'body', notes) ?? {};
    const type = cleanText(envelope['Type'], 40);
    if (type === subscriptionTopic) return confirmation(envelope);
    if (type === 'UnsubscribeConfirmation') return { kind: 'ignored', topic: type };
    const message = readFields(parsed(envelope['Message']), 'Message', notes);
    const topic = cleanText(message?.['eventType'] ?? message?.['notificationType'], 40);
    if (message === null || topic === null) {
      note(notes, 'Message.eventType', 'is missing or no text');
      return understood('unknown', [], notes, true);
    }
    const kind = kinds.get(topic);
    if (kind === undefined) return { kind: 'ignored', topic: topic.toLowerCase() };
    const at = `Message.${kind.part}`;
    const part = readFields(message[kind.part], at, notes) ?? {};
    const events = kind.read({ message, part, at, notes, store, receivedAtMs: delivery.receivedAtMs });
    return events.length === 0 && notes.length === 0 ? { kind: 'ignored', topic } : understood(topic, events, notes, topic !== 'Delivery');
  },
});

/**
 * Events of Amazon SES, which come by an SNS topic: signed by SNS, and confirmed once.
 * Source: docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
 */
export const sesReceiver: Receiver = {
  ...posts,
  fetchCertificate: createCertificates(),
  resolve: (lookup, { signal }) => confirmSubscription(lookup, signal),
};

function confirmation(envelope: Fields): Normalised {
  const lookup = confirmationOf(envelope);
  if (lookup !== null) return { kind: 'events', topic: subscriptionTopic, events: [], notes: [], lookups: [lookup] };
  const fields = [{ field: 'SubscribeURL', reason: 'is no address of SNS' }];
  return { kind: 'unreadable', topic: subscriptionTopic, reason: 'SubscribeURL: is no address of SNS', fields, mayBeStop: false };
}

function parsed(value: unknown): unknown {
  try {
    return JSON.parse(String(value));
  } catch {
    return null;
  }
}

const words = (first: string, ...more: unknown[]): string =>
  [first, ...more.map((word) => cleanText(word, 100))].filter((word) => word !== null).join(' ');

const whenOf = ({ part, at, notes, store, receivedAtMs }: Told) =>
  occurredAt(
    readInstant(part['timestamp'], `${at}.timestamp`, notes, store.timeZone),
    isAbsent(part['timestamp']) ? null : `${at}.timestamp`,
    notes,
    receivedAtMs,
  );

function receipt(type: 'message.delivered' | 'message.failed', told: Told, permanent: boolean, detail: string | null = null): DomainEvent[] {
  const { message, notes } = told;
  const mail = readFields(message['mail'], 'Message.mail', notes);
  const tags = readFields(mail?.['tags'], 'Message.mail.tags', notes);
  // Somebody else sends by the same account.
  const account = tagOf(tags, accountTag);
  if (account === null) return [];
  const providerMessageId = readId(mail?.['messageId'], 'Message.mail.messageId', notes);
  if (providerMessageId === null) {
    note(notes, 'Message.mail.messageId', 'is missing');
    return [];
  }
  const key = tagOf(tags, keyTag);
  const sendKey = key === null ? null : cleanText(readKey(key), 300);
  const about = { account: accountOf(account), providerMessageId, ...(sendKey === null ? {} : { sendKey }) };
  return [{ type, ...whenOf(told), message: about, detail, permanent }];
}

/** Tags come as lists of one. */
function tagOf(tags: Fields | null, name: string): string | null {
  const value = tags?.[name];
  return cleanText(Array.isArray(value) ? value[0] : value, 400);
}

/** `Transient`: SES has given up for this message, because of a full mailbox or a filter; the address may work tomorrow. */
function readBounce(told: Told): DomainEvent[] {
  const { bounceType: kind, bounceSubType: sub } = told.part;
  return receipt('message.failed', told, cleanText(kind, 40)?.toLowerCase() === 'permanent', words('bounced', kind, sub));
}

function readComplaint(told: Told): DomainEvent[] {
  // The address is on the account's own list: SES did not send.
  if (cleanText(told.part['complaintSubType'], 60)?.toLowerCase() === 'onaccountsuppressionlist') {
    return receipt('message.failed', told, true, 'complained before: on the suppression list of the account');
  }
  // Somebody says that it is none.
  if (cleanText(told.part['complaintFeedbackType'], 60)?.toLowerCase() === 'not-spam') return receipt('message.delivered', told, false);
  const recipients = readList(told.part['complainedRecipients'], `${told.at}.complainedRecipients`, told.notes, mostRecipients) ?? [];
  const complaints = recipients.flatMap((entry, index) => {
    const path = `${told.at}.complainedRecipients.${index}`;
    return optedOut(told, readFields(entry, path, told.notes)?.['emailAddress'], `${path}.emailAddress`, true);
  });
  if (recipients.length === 0) note(told.notes, `${told.at}.complainedRecipients`, 'names nobody');
  return [...receipt('message.delivered', told, false), ...complaints];
}

/** By the page or the header that SES adds where the operator has it manage subscriptions. */
function readSubscription(told: Told): DomainEvent[] {
  const wish = readFields(told.part['newTopicPreferences'], `${told.at}.newTopicPreferences`, told.notes);
  if (wish?.['unsubscribeAll'] !== true) return [];
  const mail = readFields(told.message['mail'], 'Message.mail', told.notes);
  const [to] = readList(mail?.['destination'], 'Message.mail.destination', told.notes, mostRecipients) ?? [];
  return optedOut(told, to, 'Message.mail.destination.0', false);
}

function optedOut(told: Told, address: unknown, path: string, final: boolean): DomainEvent[] {
  const email = readEmail([{ value: address, path }], told.notes, told.store);
  if (email === null) {
    note(told.notes, path, 'names nobody');
    return [];
  }
  const person = { email, phone: null, externalId: null };
  return [{ type: 'contact.opted_out', ...whenOf(told), person, channel: 'email', final, source: 'ses', basis: 'person' }];
}
