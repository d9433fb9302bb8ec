import type { DomainEvent, PersonRef } from '../../domain/events.ts';
import { type HeardWish, readCallWish } from '../../domain/people/call-wish.ts';
import type { Delivery, Normalised, StoreContext } from '../port.ts';
import { readInstant } from '../read/instant.ts';
import { type Fields, type Notes, note, readFields } from '../read/notes.ts';
import { readPhone } from '../read/person.ts';
import { readId } from '../read/text.ts';
import { type Occurred, occurredAt, understood } from '../read/understood.ts';
import { asDedupeKey, cleanLines, cleanText } from '../untrusted-text.ts';
import { jsonReceiver } from '../verified-receiver.ts';
import { accountField, accountOf, keyField, metadataOf, vapiConfig } from './config.ts';
import { isDeadNumber, outcomeOf } from './outcome.ts';
import { verifyVapi } from './verify.ts';

const topics = ['status-update', 'end-of-call-report'] as const;
/** A call of ten minutes has about this many characters. */
const mostTranscript = 10_000;

/** What VAPI reports of calls. Source: docs.vapi.ai/server-url/events */
export const vapiReceiver = jsonReceiver({
  topics,
  readsConfig: true,
  readsHeaders: [],
  topicHeader: null,
  answersUnreadable: 'accept',
  verify: verifyVapi,

  dedupeKey(delivery) {
    const message = messageOf(delivery);
    const id = readFields(message?.['call'], 'call', [])?.['id'];
    return typeof id !== 'string' || id === ''
      ? null
      : asDedupeKey(`${id}:${cleanText(message?.['type'], 100) ?? ''}:${cleanText(message?.['status'], 100) ?? ''}`);
  },

  normalise(delivery, body, store) {
    const notes: Notes = [];
    const message = readFields(readFields(body, 'body', notes)?.['message'], 'message', notes);
    const type = cleanText(message?.['type'], 100);
    if (message === null || type === null) {
      note(notes, 'message.type', 'is missing');
      return understood('unknown', [], notes, true);
    }
    const status = cleanText(message['status'], 40);
    if (type === 'status-update' && status !== 'ended') return { kind: 'ignored', topic: `status-update/${status ?? 'none'}` };
    if (!topics.some((one) => one === type)) return { kind: 'ignored', topic: type.toLowerCase() };
    return read(type, message, delivery, store, notes);
  },
});

function messageOf({ raw }: Delivery): Fields | null {
  try {
    return readFields(readFields(JSON.parse(raw.toString('utf8')), 'body', [])?.['message'], 'message', []);
  } catch {
    return null;
  }
}

function read(type: string, message: Fields, delivery: Delivery, store: StoreContext, notes: Notes): Normalised {
  const call = readFields(message['call'], 'call', notes) ?? {};
  const reason = cleanText(message['endedReason'], 200) ?? cleanText(call['endedReason'], 200);
  // The report follows, and has it.
  if (reason === null && type === 'status-update') return { kind: 'ignored', topic: 'status-update/ended' };
  const occurred = occurredAt(readInstant(message['timestamp'], 'timestamp', notes, store.timeZone), null, notes, delivery.receivedAtMs);
  const person = personIn(message, call, notes, store);
  const outcome = reason === null ? 'failed' : outcomeOf(reason);
  const transcript = transcriptOf(message, call);
  // What a mailbox or nobody says is no wish of the person's.
  const heard = outcome === 'not_reached' || transcript === null ? { wish: null, keywords: [] } : readCallWish(turnsOf(transcript), wordsOf(store));
  const metadata = metadataOf(call);
  const account = cleanText(metadata[accountField], 40);
  // Somebody else calls by the same account: what people say to them counts where it is a stop.
  if (account === null) return foreignCall(type, person, heard, occurred, notes);
  const id = readId(call['id'], 'call.id', notes);
  if (id === null || reason === null) {
    note(notes, id === null ? 'call.id' : 'endedReason', 'is missing');
    return understood(type, [], notes, true);
  }
  const sendKey = cleanText(metadata[keyField], 300);
  const ended: DomainEvent = {
    type: 'call.ended',
    ...occurred,
    person,
    message: { account: accountOf(account), providerMessageId: id, ...(sendKey === null ? {} : { sendKey }) },
    outcome,
    reason,
    permanent: isDeadNumber(reason),
    transcript,
    keywords: heard.keywords,
    wish: heard.wish,
    startedAtMs: readInstant(message['startedAt'] ?? call['startedAt'], 'startedAt', notes, store.timeZone)?.ms ?? null,
    endedAtMs: readInstant(message['endedAt'] ?? call['endedAt'], 'endedAt', notes, store.timeZone)?.ms ?? null,
  };
  return understood(type, [ended], notes, true);
}

function foreignCall(type: string, person: PersonRef, { wish }: HeardWish, occurred: Occurred, notes: Notes): Normalised {
  if (wish?.kind !== 'stop' || person.phone === null) return { kind: 'ignored', topic: type };
  const optedOut: DomainEvent = { type: 'contact.opted_out', ...occurred, person, channel: 'call', final: false, source: 'vapi', basis: 'person' };
  return understood(type, [optedOut], notes, true);
}

function personIn(message: Fields, call: Fields, notes: Notes, store: StoreContext): PersonRef {
  const number = (value: unknown, path: string) => ({ value: readFields(value, path, [])?.['number'], path: `${path}.number` });
  const phone = readPhone([number(message['customer'], 'customer'), number(call['customer'], 'call.customer')], notes, store, null);
  return { email: null, phone, externalId: null };
}

function transcriptOf(message: Fields, call: Fields): string | null {
  const artifact = readFields(message['artifact'], 'artifact', []) ?? readFields(call['artifact'], 'artifact', []);
  return cleanLines(artifact?.['transcript'] ?? message['transcript'], mostTranscript);
}

/** What the person said: VAPI marks the turns by `AI:` and `User:`. */
function turnsOf(transcript: string): string[] {
  return transcript.split('\n').flatMap((line) => /^\s*(?:user|customer):\s*(.+)$/i.exec(line)?.[1] ?? []);
}

function wordsOf(store: StoreContext) {
  const config = vapiConfig.safeParse(store.config);
  return config.success ? config.data.keywords : undefined;
}
