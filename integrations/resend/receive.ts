import type { DomainEvent } from '../../domain/events.ts';
import { readInstant } from '../read/instant.ts';
import { type Fields, type Notes, note, readFields, readList } from '../read/notes.ts';
import { readEmail } from '../read/person.ts';
import { readId } from '../read/text.ts';
import { type Occurred, occurredAt, understood } from '../read/understood.ts';
import type { StoreContext } from '../port.ts';
import { verifyStandardWebhook } from '../standard-webhooks.ts';
import { asDedupeKey, cleanText } from '../untrusted-text.ts';
import { jsonReceiver } from '../verified-receiver.ts';
import { singleHeader } from '../verify-signature.ts';
import { accountOf, accountTag } from './config.ts';

interface Told {
  data: Fields;
  notes: Notes;
  store: StoreContext;
  occurred: Occurred;
}

// Opens and clicks are our own: those of the provider count machines.
const types: ReadonlyMap<string, { read(told: Told): DomainEvent[]; mayBeStop: boolean }> = new Map([
  ['email.delivered', { read: (told) => receipt('message.delivered', told, false), mayBeStop: false }],
  ['email.bounced', { read: readBounce, mayBeStop: false }],
  ['email.failed', { read: (told) => receipt('message.failed', told, false), mayBeStop: false }],
  // On Resend's own list of addresses that bounced or complained: nothing more is taken for it.
  ['email.suppressed', { read: (told) => receipt('message.failed', told, true), mayBeStop: false }],
  ['email.complained', { read: readComplaint, mayBeStop: true }],
]);

/** Resend's receipts, signed by Svix. Source: resend.com/docs/dashboard/webhooks/event-types */
export const resendReceiver = jsonReceiver({
  topics: [...types.keys()],
  readsHeaders: [],
  topicHeader: null,
  // Resend disables an endpoint that keeps refusing.
  answersUnreadable: 'accept',

  verify: (delivery, secrets) => verifyStandardWebhook(delivery, secrets, 'svix'),

  dedupeKey(delivery) {
    const id = singleHeader(delivery, 'svix-id');
    return id === null ? null : asDedupeKey(id);
  },

  normalise(delivery, body, store) {
    const notes: Notes = [];
    const envelope = readFields(body, 'body', notes);
    const topic = cleanText(envelope?.['type'], 100);
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
    const occurred = occurredAt(readInstant(envelope['created_at'], 'created_at', notes, store.timeZone), 'created_at', notes, delivery.receivedAtMs);
    const events = known.read({ data, notes, store, occurred });
    return events.length === 0 && notes.length === 0 ? { kind: 'ignored', topic } : understood(topic, events, notes, known.mayBeStop);
  },
});

function receipt(
  type: 'message.delivered' | 'message.failed',
  { data, notes, occurred }: Told,
  permanent: boolean,
  detail: string | null = null,
): DomainEvent[] {
  const account = accountIn(data, notes);
  if (account === null) return [];
  const providerMessageId = readId(data['email_id'], 'data.email_id', notes);
  if (providerMessageId === null) {
    note(notes, 'data.email_id', 'is missing');
    return [];
  }
  return [{ type, ...occurred, message: { account, providerMessageId }, detail, permanent }];
}

/** Tags were sent as a list and come back as an object. Null: somebody else sent the message by the same account. */
function accountIn(data: Fields, notes: Notes): string | null {
  const account = cleanText(readFields(data['tags'], 'data.tags', notes)?.[accountTag], 40);
  return account === null ? null : accountOf(account);
}

function readBounce(told: Told): DomainEvent[] {
  const bounce = readFields(told.data['bounce'], 'data.bounce', told.notes);
  const [kind, part] = [cleanText(bounce?.['type'], 40), cleanText(bounce?.['subType'], 40)];
  const words = [kind, part].filter((word) => word !== null).join(', ');
  return receipt('message.failed', told, kind?.toLowerCase() === 'permanent', words === '' ? 'bounced' : `bounced: ${words}`);
}

/** A complaint is final for its person; it proves that the message had come, too. */
function readComplaint(told: Told): DomainEvent[] {
  const { data, notes, store, occurred } = told;
  const to = readList(data['to'], 'data.to', notes, 10) ?? [];
  const email = readEmail(
    to.map((value, index) => ({ value, path: `data.to.${index}` })),
    notes,
    store,
  );
  const complaint: DomainEvent[] =
    email === null
      ? []
      : [
          {
            type: 'contact.opted_out',
            ...occurred,
            person: { email, phone: null, externalId: null },
            channel: 'email',
            final: true,
            source: 'resend',
            basis: 'person',
          },
        ];
  return [...receipt('message.delivered', told, false), ...complaint];
}
