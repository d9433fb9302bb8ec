import type { DomainEvent, MessageRef, PersonRef } from '../../domain/events.ts';
import { readAutoReply } from '../../domain/people/auto-reply.ts';
import type { StoreContext } from '../port.ts';
import { textOfHtml } from '../read/html.ts';
import { type Fields, type Notes, note } from '../read/notes.ts';
import { namesSomebody, readEmail, readPhone } from '../read/person.ts';
import { readId, readLines, readText } from '../read/text.ts';
import type { Occurred } from '../read/understood.ts';
import { cleanText } from '../untrusted-text.ts';
import { accountOf } from './config.ts';

/** What is read of one delivery. */
export interface Told {
  fields: Fields;
  notes: Notes;
  store: StoreContext;
  occurred: Occurred;
  locationId: string;
  /** Below which our own links begin. */
  ownUrls: readonly string[];
}

/** The kinds of message that are a channel of ours. The others count as a reply or a contact all the same. */
const channelOfType: ReadonlyMap<string, 'sms' | 'email' | 'whatsapp'> = new Map([
  ['sms', 'sms'],
  ['rcs', 'sms'],
  ['email', 'email'],
  ['whatsapp', 'whatsapp'],
]);

/** Statuses by which a message has not reached the person. */
const failed = new Set(['failed', 'undelivered', 'bounced', 'rejected', 'canceled', 'cancelled']);
const arrived = new Set(['delivered', 'read', 'opened', 'clicked']);

const typeOf = ({ fields }: Told): string => (cleanText(fields['messageType'], 40) ?? '').toLowerCase();

/** What somebody wrote, or that they called. */
export function readInbound(told: Told): DomainEvent[] {
  const { fields, notes, occurred } = told;
  const channel = channelOfType.get(typeOf(told)) ?? null;
  const person = personOf(told, ['from', 'phone', 'email'], channel);
  if (!namesSomebody(person)) {
    note(notes, 'contactId', 'and the sender are missing');
    return [];
  }
  const written = typeof fields['body'] === 'string' && channel === 'email' ? textOfHtml(fields['body']) : fields['body'];
  const text = written === '' ? null : readLines(written, 'body', notes, 4_096);
  if (channel !== 'email') return [{ type: 'message.received', ...occurred, person, channel, text }];
  const subject = readText(fields['subject'], 'subject', notes, 500);
  return [{ type: 'message.received', ...occurred, person, channel, subject, text, automatic: readAutoReply({ headers: {}, subject, text }) }];
}

/**
 * What was sent to somebody. A message of ours is known by its links, or by its id in the ledger (`message`), and is no contact. Of the others, what a
 * colleague wrote is theirs; a workflow or another program is automatic.
 */
export function readOutbound(told: Told): DomainEvent[] {
  const { fields, notes, occurred, locationId } = told;
  const id = readId(fields['messageId'], 'messageId', notes);
  const message: MessageRef | null = id === null ? null : { account: accountOf(locationId), providerMessageId: id };
  const status = (cleanText(fields['status'], 40) ?? '').toLowerCase();
  if (isOurs(told)) return message === null ? [] : readReceipt(message, status, occurred);
  // It did not reach anybody.
  if (failed.has(status))
    return message === null ? [] : [{ type: 'message.failed', ...occurred, message, detail: `HighLevel: ${status}`, permanent: false }];
  const person = personOf(told, ['to', 'phone', 'email'], channelOfType.get(typeOf(told)) ?? null);
  if (!namesSomebody(person)) {
    note(notes, 'contactId', 'and the recipient are missing');
    return [];
  }
  const by = readText(fields['userId'], 'userId', notes, 100);
  const source = (cleanText(fields['source'], 40) ?? '').toLowerCase();
  const automated = by === null && source !== 'app';
  return [
    {
      type: 'lead.contacted',
      ...occurred,
      keys: [],
      person,
      by: by ?? (source === 'workflow' ? source : null),
      ...(automated ? { automated } : {}),
      ...(message === null ? {} : { message }),
    },
  ];
}

function readReceipt(message: MessageRef, status: string, occurred: Occurred): DomainEvent[] {
  if (failed.has(status)) return [{ type: 'message.failed', ...occurred, message, detail: `HighLevel: ${status}`, permanent: false }];
  return arrived.has(status) ? [{ type: 'message.delivered', ...occurred, message, detail: null, permanent: false }] : [];
}

/** Whether the message has one of our own links, which every text and every email of ours has. */
function isOurs({ fields, ownUrls }: Told): boolean {
  const body = typeof fields['body'] === 'string' ? fields['body'] : '';
  return ownUrls.some((url) => ['s', 'c', 'o', 'u'].some((path) => body.includes(`${url}/${path}/`)));
}

/** The contact, and the address where it is one of theirs. @param names - the fields in which an address may stand */
function personOf({ fields, notes, store }: Told, names: readonly string[], channel: 'sms' | 'email' | 'whatsapp' | null): PersonRef {
  const candidates = names.flatMap((name) => [fields[name]].flat().map((value) => ({ value: bareAddress(value), path: name })));
  const mails = candidates.filter(({ value }) => typeof value === 'string' && value.includes('@'));
  // A number of the other channels may be the id of somebody at Facebook.
  const numbers = candidates.filter(({ value }) => typeof value === 'string' && /^\+\d{6,15}$/.test(value));
  return {
    email: channel === 'email' || channel === null ? readEmail(mails.slice(0, 1), notes, store) : null,
    phone: channel === 'email' ? null : readPhone(numbers.slice(0, 1), notes, store, null),
    externalId: readId(fields['contactId'], 'contactId', notes),
  };
}

/** `Ana Example <ana@example.com>` is an address with a name. */
function bareAddress(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return (/<([^<>\s]+@[^<>\s]+)>\s*$/.exec(value)?.[1] ?? value).trim();
}
