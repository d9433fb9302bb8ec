import { autoReplyHeaders, type MailHeaders, readAutoReply } from '../../domain/people/auto-reply.ts';
import type { ConsentProof } from '../../domain/events.ts';
import { isAbsent, note, readEntries, readFields } from '../read/notes.ts';
import { namesSomebody } from '../read/person.ts';
import { readFlag, readLines, readText } from '../read/text.ts';
import { cleanText } from '../untrusted-text.ts';
import { optOutsOf, readContact, readIdentity } from './person.ts';
import type { Read, Reading } from './reading.ts';

export const readContactUpdated: Read = (reading) => {
  const contact = readContact(reading, null);
  if (!namesSomebody(contact.person)) return [];
  return [...optOutsOf(contact, reading.occurred), { type: 'contact.updated', ...reading.occurred, person: contact.person }];
};

/** A reply stops on every channel; a missing or unknown channel is inferred from the address it came from. */
export const readMessageReceived: Read = (reading) => {
  const { data, notes, occurred } = reading;
  const person = readIdentity(reading);
  if (!namesSomebody(person)) return [];
  const known = channelOf(reading, ['email', 'sms', 'whatsapp', 'telegram'] as const);
  const channel = known ?? (person.email === null && person.phone !== null ? 'sms' : 'email');
  if (known === null) note(notes, 'data.channel', `is not known: taken as ${channel}`);
  const text = readLines(data['text'], 'data.text', notes, 10_000);
  const headers = readHeaders(reading);
  const subject = readText(data['subject'], 'data.subject', notes, 1_000) ?? headers['subject'] ?? null;
  return [{ type: 'message.received', ...occurred, person, channel, subject, text, automatic: readAutoReply({ headers, subject, text }) }];
};

/** Header fields of an email that came in, as an object or as a list of `{ name, value }`; of several of one name, the first. Only what tells an automatic reply is read. */
function readHeaders({ data, notes }: Reading): MailHeaders {
  const given = data['headers'];
  const pairs: [unknown, unknown][] = Array.isArray(given)
    ? (readEntries(given, 'data.headers', notes, 200, ({ name, value }) => [name, value] as [unknown, unknown]) ?? [])
    : Object.entries(readFields(given, 'data.headers', notes) ?? {}).slice(0, 200);
  const headers: Record<string, string> = {};
  for (const [name, value] of pairs) {
    const known = typeof name === 'string' ? readNames.find((wanted) => wanted === name.trim().toLowerCase()) : undefined;
    const text = cleanText(Array.isArray(value) ? value[0] : value, 1_000);
    if (known !== undefined && text !== null) headers[known] ??= text;
  }
  return headers;
}

const readNames = [...autoReplyHeaders, 'subject'] as const;

/** An opt-out of an unknown channel is an opt-out of all channels. */
export const readOptedOut: Read = (reading) => {
  const { data, notes, occurred } = reading;
  const person = readIdentity(reading);
  if (!namesSomebody(person)) return [];
  const channel = channelOf(reading, ['email', 'sms', 'whatsapp', 'call', 'push', 'all'] as const);
  if (channel === null && !isAbsent(data['channel'])) note(notes, 'data.channel', 'is not known: taken as all channels');
  return [
    {
      type: 'contact.opted_out',
      ...occurred,
      person,
      channel: channel === 'all' ? null : channel,
      final: readFlag(data['final'], 'data.final', notes) === true,
      source: readText(data['source'], 'data.source', notes, 100) ?? 'webhook',
      basis: 'person',
    },
  ];
};

/** An opt-in to an unknown channel is no opt-in. */
export const readOptedIn: Read = (reading) => {
  const { data, notes, occurred } = reading;
  const person = readIdentity(reading);
  const channel = channelOf(reading, ['email', 'sms', 'whatsapp', 'call', 'push'] as const);
  if (channel === null) note(notes, 'data.channel', 'is missing or not known: the person agreed to nothing that can be kept');
  if (!namesSomebody(person) || channel === null) return [];
  return [
    {
      type: 'contact.opted_in',
      ...occurred,
      person,
      channel,
      source: readText(data['source'], 'data.source', notes, 100) ?? 'webhook',
      wording: readLines(data['wording'], 'data.wording', notes, 2_000),
      basis: 'person',
      confirmed: true,
      proof: readProof(reading),
    },
  ];
};

function readProof({ data, notes }: Reading): ConsentProof {
  const proof: ConsentProof = {};
  for (const [name, field, most] of proofFields) {
    const text = readText(data[field], `data.${field}`, notes, most);
    if (text !== null) proof[name] = text;
  }
  return proof;
}

const proofFields = [
  ['wordingVersion', 'wording_version', 100],
  ['ip', 'ip', 60],
  ['userAgent', 'user_agent', 500],
  ['url', 'url', 2_000],
] as const;

const otherNames: Readonly<Record<string, string>> = {
  'e-mail': 'email',
  mail: 'email',
  text: 'sms',
  phone: 'call',
  voice: 'call',
  any: 'all',
  '*': 'all',
};

function channelOf<T extends string>({ data, notes }: Reading, channels: readonly T[]): T | null {
  const word = readText(data['channel'], 'data.channel', notes, 50)?.toLowerCase() ?? null;
  return channels.find((channel) => channel === word || channel === otherNames[word ?? '']) ?? null;
}
