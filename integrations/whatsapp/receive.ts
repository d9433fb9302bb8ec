import { createHash } from 'node:crypto';
import type { DomainEvent, PersonRef } from '../../domain/events.ts';
import { answerHandshake, verifyHub } from '../meta/hub.ts';
import type { Receiver, StoreContext } from '../port.ts';
import { readInstant } from '../read/instant.ts';
import { type Fields, type Notes, note, readFields, readList } from '../read/notes.ts';
import { readPhone } from '../read/person.ts';
import { readId, readLines } from '../read/text.ts';
import { type Occurred, occurredAt, understood } from '../read/understood.ts';
import { asDedupeKey, cleanText } from '../untrusted-text.ts';
import { jsonReceiver } from '../verified-receiver.ts';
import { accountOf, whatsappConfig } from './config.ts';
import { isDeadNumber, optedOutCode, readErrorCode } from './error-codes.ts';

const topic = 'messages';
const mostEntries = 1_000;

interface Told {
  fields: Fields;
  at: string;
  notes: Notes;
  store: StoreContext;
  occurred: Occurred;
}

/** `sent` says no more than the answer did. */
const finalStatuses: ReadonlyMap<string, 'message.delivered' | 'message.failed'> = new Map([
  ['delivered', 'message.delivered'],
  ['read', 'message.delivered'],
  ['failed', 'message.failed'],
]);
/** What WhatsApp reports in a conversation and nobody wrote. */
const notWritten = new Set(['system', 'unsupported', 'request_welcome', 'ephemeral', 'errors']);

const posts = jsonReceiver({
  topics: [topic],
  readsHeaders: [],
  topicHeader: null,
  // Meta would repeat a refused delivery for 36 hours.
  answersUnreadable: 'accept',
  verify: verifyHub,

  // A delivery has no id of its own; what it reports has.
  dedupeKey({ raw }) {
    const all = changesIn(parsed(raw), []).flatMap(({ value }) => [...listOf(value, 'messages'), ...listOf(value, 'statuses')]);
    const keys = all.flatMap((entry) => {
      const fields = readFields(entry, '', []);
      const id = cleanText(fields?.['id'], 300);
      return id === null ? [] : [`${id} ${cleanText(fields?.['status'], 40) ?? 'received'}`];
    });
    if (keys.length === 0 || keys.length < all.length) return `sha256:${createHash('sha256').update(raw).digest('hex')}`;
    const [first = ''] = keys;
    return asDedupeKey(keys.length === 1 ? first.replace(' ', ':') : keys.toSorted().join('\n'));
  },

  normalise(delivery, body, store) {
    const notes: Notes = [];
    const changes = changesIn(body, notes);
    const events: DomainEvent[] = [];
    let other: string | null = null;
    let ignored = false;
    for (const { field, value, at } of changes) {
      if (field !== topic) {
        other ??= field;
        continue;
      }
      const phoneNumberId = readId(
        readFields(value['metadata'], `${at}.metadata`, notes)?.['phone_number_id'],
        `${at}.metadata.phone_number_id`,
        notes,
      );
      for (const [name, read] of [['messages', readMessage] as const, ['statuses', readStatus] as const]) {
        for (const [index, entry] of (readList(value[name], `${at}.${name}`, notes, mostEntries) ?? []).entries()) {
          const path = `${at}.${name}.${index}`;
          const fields = readFields(entry, path, notes);
          if (fields === null) continue;
          const when = readInstant(fields['timestamp'], `${path}.timestamp`, notes, store.timeZone);
          const occurred = occurredAt(when, `${path}.timestamp`, notes, delivery.receivedAtMs);
          const found = read({ fields, at: path, notes, store, occurred }, phoneNumberId);
          events.push(...found);
          if (found.length === 0) ignored = true;
        }
      }
    }
    if (events.length === 0 && other !== null) return { kind: 'ignored', topic: other };
    if (events.length === 0 && ignored && notes.length === 0) return { kind: 'ignored', topic };
    return understood(topic, events, notes, true);
  },
});

/**
 * Notifications of the WhatsApp Cloud API: what people write, and what became of messages.
 * Source: developers.facebook.com/docs/whatsapp/cloud-api/webhooks/payload-examples
 */
export const whatsappReceiver: Receiver = {
  ...posts,
  methods: ['GET', 'POST'],
  readsConfig: true,
  receive: (delivery, secrets, store) =>
    delivery.method === 'GET' ? answerHandshake(delivery, verifyTokenOf(store)) : posts.receive(delivery, secrets, store),
};

function verifyTokenOf({ config }: StoreContext): string | null {
  const read = whatsappConfig.safeParse(config);
  return read.success ? read.data.verifyToken : null;
}

function parsed(raw: Buffer): unknown {
  try {
    return JSON.parse(raw.toString('utf8'));
  } catch {
    return null;
  }
}

const listOf = (value: Fields, name: string): unknown[] => readList(value[name], name, [], mostEntries) ?? [];

function changesIn(body: unknown, notes: Notes): { field: string; value: Fields; at: string }[] {
  const entries = readList(readFields(body, 'body', notes)?.['entry'], 'entry', notes, mostEntries) ?? [];
  return entries.flatMap((entry, index) => {
    const changes = readList(readFields(entry, `entry.${index}`, notes)?.['changes'], `entry.${index}.changes`, notes, mostEntries) ?? [];
    return changes.flatMap((change, position) => {
      const at = `entry.${index}.changes.${position}`;
      const fields = readFields(change, at, notes);
      const value = readFields(fields?.['value'], `${at}.value`, notes);
      return value === null ? [] : [{ field: cleanText(fields?.['field'], 100)?.toLowerCase() ?? topic, value, at: `${at}.value` }];
    });
  });
}

/** What a person wrote, or the button that they pressed. A picture or a voice message has no words, and is a reply all the same. */
function readMessage({ fields, at, notes, store, occurred }: Told): DomainEvent[] {
  const type = cleanText(fields['type'], 40)?.toLowerCase() ?? '';
  if (notWritten.has(type)) return [];
  const person = personOf(fields['from'], `${at}.from`, notes, store);
  if (person === null) return [];
  const part = (name: string) => readFields(fields[name], `${at}.${name}`, notes);
  const interactive = part('interactive');
  const chosen =
    readFields(interactive?.['button_reply'], `${at}.interactive.button_reply`, notes) ??
    readFields(interactive?.['list_reply'], `${at}.interactive.list_reply`, notes);
  const words = part('text')?.['body'] ?? part('button')?.['text'] ?? chosen?.['title'] ?? part('reaction')?.['emoji'] ?? captionOf(fields, type);
  const text = words === undefined || words === '' ? null : readLines(words, `${at}.text`, notes, 4_096);
  return [{ type: 'message.received', ...occurred, person, channel: 'whatsapp', text, unanswered: true }];
}

function captionOf(fields: Fields, type: string): unknown {
  return ['image', 'video', 'document'].includes(type) ? readFields(fields[type], type, [])?.['caption'] : undefined;
}

function readStatus({ fields, at, notes, store, occurred }: Told, phoneNumberId: string | null): DomainEvent[] {
  const type = finalStatuses.get(cleanText(fields['status'], 40)?.toLowerCase() ?? '');
  if (type === undefined) return [];
  // Somebody else sends from the same number.
  const sendKey = cleanText(fields['biz_opaque_callback_data'], 300);
  const providerMessageId = readId(fields['id'], `${at}.id`, notes);
  if (phoneNumberId === null || providerMessageId === null) {
    note(notes, `${at}.id`, 'or the number that sent it is missing');
    return [];
  }
  const errors = readList(fields['errors'], `${at}.errors`, notes, 10) ?? [];
  const code = readErrorCode(readFields(errors[0], `${at}.errors.0`, notes)?.['code']);
  const isFailed = type === 'message.failed';
  const optedOut = isFailed && code === optedOutCode ? optedOutOf(fields, at, notes, store, occurred) : [];
  if (sendKey === null) return optedOut;
  const message = { account: accountOf(phoneNumberId), providerMessageId, sendKey };
  const detail = isFailed && code !== null ? `WhatsApp error ${code}` : null;
  return [{ type, ...occurred, message, detail, permanent: isFailed && isDeadNumber(code) }, ...optedOut];
}

function optedOutOf(fields: Fields, at: string, notes: Notes, store: StoreContext, occurred: Occurred): DomainEvent[] {
  const person = personOf(fields['recipient_id'], `${at}.recipient_id`, notes, store);
  if (person === null) return [];
  return [{ type: 'contact.opted_out', ...occurred, person, channel: 'whatsapp', final: false, source: 'whatsapp', basis: 'person' }];
}

/** Numbers come in full, without the plus sign. */
function personOf(value: unknown, path: string, notes: Notes, store: StoreContext): PersonRef | null {
  const digits = typeof value === 'string' ? value.trim().replace(/^\+/, '') : '';
  const phone = /^\d{7,15}$/.test(digits) ? readPhone([{ value: `+${digits}`, path }], notes, store, null) : null;
  if (phone === null) note(notes, path, 'names nobody');
  return phone === null ? null : { email: null, phone, externalId: null };
}
