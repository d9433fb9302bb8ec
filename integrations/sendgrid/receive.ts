import { createHash } from 'node:crypto';
import type { DomainEvent } from '../../domain/events.ts';
import type { Delivery, StoreContext } from '../port.ts';
import { readInstant } from '../read/instant.ts';
import { type Fields, type Notes, note, readFields, readList } from '../read/notes.ts';
import { readEmail } from '../read/person.ts';
import { readId } from '../read/text.ts';
import { occurredAt, understood } from '../read/understood.ts';
import { asDedupeKey, cleanText } from '../untrusted-text.ts';
import { jsonReceiver } from '../verified-receiver.ts';
import { accountArgument, accountOf } from './config.ts';
import { verifySendGrid } from './sign.ts';

interface Told {
  fields: Fields;
  at: string;
  notes: Notes;
  store: StoreContext;
  receivedAtMs: number;
}

// Opens and clicks are our own: those of the provider count machines.
const kinds: ReadonlyMap<string, (told: Told) => DomainEvent[]> = new Map([
  ['delivered', (told) => receipt('message.delivered', told, false)],
  ['bounce', readBounce],
  // On SendGrid's own list of addresses that bounced, complained or unsubscribed: nothing more is taken for it.
  ['dropped', (told) => receipt('message.failed', told, isSuppressed(told))],
  ['spamreport', (told) => [...receipt('message.delivered', told, false), ...optedOut(told, true)]],
  ['unsubscribe', (told) => optedOut(told, false)],
  ['group_unsubscribe', (told) => optedOut(told, false)],
]);

/** A delivery holds many events, of many messages. */
const mostEvents = 1_000;
const topic = 'events';

/** SendGrid's event webhook. Source: twilio.com/docs/sendgrid/for-developers/tracking-events/event */
export const sendGridReceiver = jsonReceiver({
  topics: [topic],
  readsHeaders: [],
  topicHeader: null,
  answersUnreadable: 'accept',
  verify: verifySendGrid,

  dedupeKey(delivery) {
    const ids = idsIn(delivery);
    return ids.length === 0 ? null : asDedupeKey(ids.length === 1 ? (ids[0] ?? '') : createHash('sha256').update(ids.join(' ')).digest('hex'));
  },

  normalise(delivery, body, store) {
    const notes: Notes = [];
    const list = readList(body, 'body', notes, mostEvents);
    if (list === null) return understood('unknown', [], notes, true);
    const events: DomainEvent[] = [];
    let ignored: string | null = null;
    for (const [index, entry] of list.entries()) {
      const fields = readFields(entry, String(index), notes);
      const kind = cleanText(fields?.['event'], 40)?.toLowerCase() ?? null;
      if (fields === null || kind === null) {
        if (fields !== null) note(notes, `${index}.event`, 'is missing or no text');
        continue;
      }
      const read = kinds.get(kind);
      if (read === undefined) ignored ??= kind;
      else events.push(...read({ fields, at: String(index), notes, store, receivedAtMs: delivery.receivedAtMs }));
    }
    return events.length === 0 && notes.length === 0
      ? { kind: 'ignored', topic: ignored === null ? topic : `${topic}/${ignored}` }
      : understood(topic, events, notes, true);
  },
});

function idsIn({ raw }: Delivery): string[] {
  try {
    const list: unknown = JSON.parse(raw.toString('utf8'));
    if (!Array.isArray(list)) return [];
    return list.flatMap((entry: unknown) => {
      const id = typeof entry === 'object' && entry !== null && 'sg_event_id' in entry ? entry.sg_event_id : null;
      return typeof id === 'string' && id !== '' ? [id] : [];
    });
  } catch {
    return [];
  }
}

const whenOf = ({ fields, at, notes, store, receivedAtMs }: Told) =>
  occurredAt(readInstant(fields['timestamp'], `${at}.timestamp`, notes, store.timeZone), `${at}.timestamp`, notes, receivedAtMs);

function receipt(type: 'message.delivered' | 'message.failed', told: Told, permanent: boolean, detail: string | null = null): DomainEvent[] {
  const { fields, at, notes } = told;
  // Somebody else sends by the same account: to wait for a message that is not ours would hold up the opt-outs beside it.
  const account = cleanText(fields[accountArgument], 40);
  if (account === null) return [];
  // What follows the first dot names the machine that sent it.
  const providerMessageId = readId(cleanText(fields['sg_message_id'], 300)?.split('.')[0], `${at}.sg_message_id`, notes);
  if (providerMessageId === null) {
    note(notes, `${at}.sg_message_id`, 'is missing');
    return [];
  }
  return [{ type, ...whenOf(told), message: { account: accountOf(account), providerMessageId }, detail, permanent }];
}

/** `blocked`: refused for now, by a full mailbox or a filter. */
function readBounce(told: Told): DomainEvent[] {
  const [kind, status] = [cleanText(told.fields['type'], 20), cleanText(told.fields['status'], 20)];
  const words = ['bounced', kind, status].filter((word) => word !== null && word !== 'bounce').join(' ');
  return receipt('message.failed', told, kind !== 'blocked', words);
}

const isSuppressed = ({ fields }: Told): boolean => /\b(bounced|unsubscribed|spam|invalid)\b/i.test(cleanText(fields['reason'], 200) ?? '');

function optedOut(told: Told, final: boolean): DomainEvent[] {
  const { fields, at, notes, store } = told;
  const email = readEmail([{ value: fields['email'], path: `${at}.email` }], notes, store);
  if (email === null) {
    note(notes, `${at}.email`, 'names nobody');
    return [];
  }
  return [
    {
      type: 'contact.opted_out',
      ...whenOf(told),
      person: { email, phone: null, externalId: null },
      channel: 'email',
      final,
      source: 'sendgrid',
      basis: 'person',
    },
  ];
}
