import { createHash } from 'node:crypto';
import type { DomainEvent, PersonRef } from '../../domain/events.ts';
import type { Delivery, Normalised, Refusal, Secrets, StoreContext } from '../port.ts';
import { parseForm } from '../read/form.ts';
import { type Fields, type Notes, note, readFields } from '../read/notes.ts';
import { readPhone } from '../read/person.ts';
import { readId, readLines } from '../read/text.ts';
import { understood } from '../read/understood.ts';
import { isToken } from '../shared-token.ts';
import { asDedupeKey, cleanText } from '../untrusted-text.ts';
import { verifiedReceiver } from '../verified-receiver.ts';
import { signatureMatches, singleHeader } from '../verify-signature.ts';
import { accountOf, profileOf, type SmsHttpConfig, smsHttpConfig } from './config.ts';
import { fieldAt, hasAll, readJson, wordAt } from './fields.ts';
import type { GatewayProfile } from './profile.ts';

const mostReports = 1_000;
const tokenName = 'token';
const topics = ['inbound', 'receipts'] as const;

/**
 * Reports of gateways, by POST or GET, as the connection's profile reads them. They carry no signature that could be relied on, so the address holds
 * a token; and no time, so the time of arrival is theirs.
 */
export const smsHttpReceiver = verifiedReceiver<unknown>({
  topics,
  methods: ['POST', 'GET'],
  readsConfig: true,
  readsHeaders: [],
  // Any gateway names its fields as it likes.
  readsQuery: { allBut: [tokenName] },
  topicHeader: null,
  answersUnreadable: 'accept',
  verify,
  parse: (delivery) => ({ body: bodyOf(delivery) }),

  /** A report is known by its bytes, and counts again when it comes in another minute: what it says twice changes nothing, and a second STOP is news. */
  dedupeKey({ raw, url, receivedAtMs }) {
    const address = new URL(url);
    address.searchParams.delete(tokenName);
    const hash = createHash('sha256')
      .update(`${Math.floor(receivedAtMs / 60_000)} ${address.search}\n`)
      .update(raw);
    return asDedupeKey(`bytes:${hash.digest('hex')}`);
  },

  normalise: (delivery, body, store) => read(delivery, body, store),
});

/** The token in the address, or SMS-Retail's HMAC of the body with that token as its key. */
function verify(delivery: Delivery, secrets: Secrets): Refusal | null {
  const token = new URL(delivery.url).searchParams.get(tokenName) ?? '';
  const signature = singleHeader(delivery, 'x-signature');
  if (token === '' && signature === null) return 'missing_signature';
  const isSigned = signature !== null && signatureMatches({ algorithm: 'sha256', encoding: 'hex' }, secrets, [delivery.raw], [signature]);
  return isSigned || (token !== '' && isToken(secrets, token)) ? null : 'bad_signature';
}

/** JSON, or the fields of a form and of the query. */
function bodyOf({ raw, url }: Delivery): unknown {
  const query = parseForm(Buffer.from(new URL(url).search.slice(1)));
  if (raw.length === 0) return query;
  const json = readJson(raw.toString('utf8'));
  if (json !== undefined) return typeof json === 'object' && json !== null && !Array.isArray(json) ? { ...query, ...json } : json;
  return { ...query, ...parseForm(raw) };
}

function read({ receivedAtMs }: Delivery, body: unknown, store: StoreContext): Normalised {
  const notes: Notes = [];
  const config = smsHttpConfig.safeParse(store.config);
  if (!config.success) {
    note(notes, 'config', 'of the connection cannot be used');
    return understood('unknown', [], notes, true);
  }
  const told: Told = { config: config.data, profile: profileOf(config.data), notes, store, receivedAtMs, unknown: null };
  const { texts, receipts } = told.profile;
  const reports = listOf(body, receipts?.list);
  const events: DomainEvent[] = [];
  let isText = false;
  for (const [index, report] of reports.entries()) {
    const fields = readFields(report, String(index), notes);
    if (fields === null) continue;
    if (texts !== undefined && hasAll(fields, texts.where) && firstOf(fields, texts.from) !== null) {
      isText = true;
      events.push(...readText(fields, texts, told));
    } else if (receipts !== undefined) events.push(...readReceipt(fields, receipts, told));
  }
  if (reports.length === 0) note(notes, 'body', 'holds no report');
  if (events.length === 0 && notes.length === 0) return { kind: 'ignored', topic: told.unknown === null ? 'receipts' : `receipts/${told.unknown}` };
  return understood(isText ? 'inbound' : 'receipts', events, notes, true);
}

interface Told {
  config: SmsHttpConfig;
  profile: GatewayProfile;
  notes: Notes;
  store: StoreContext;
  receivedAtMs: number;
  /** A state that is none of the profile's. */
  unknown: string | null;
}

function listOf(body: unknown, path: string | undefined): unknown[] {
  const found = path === undefined ? body : fieldAt(body, path);
  return Array.isArray(found) ? found.slice(0, mostReports) : [found ?? body];
}

/** What the first of these fields says that says anything. */
function firstOf(fields: Fields, paths: readonly string[]): string | null {
  for (const path of paths) {
    const found = wordAt(fields, path);
    if (found !== null) return found;
  }
  return null;
}

function readReceipt(fields: Fields, receipts: NonNullable<GatewayProfile['receipts']>, told: Told): DomainEvent[] {
  const { notes, receivedAtMs, config } = told;
  const status = cleanText(firstOf(fields, receipts.status), 100)?.toLowerCase() ?? null;
  if (status === null) {
    note(notes, 'status', 'is missing');
    return [];
  }
  const is = (states: readonly string[]) => states.some((state) => state.toLowerCase() === status);
  const isDead = is(receipts.dead);
  const hasOptedOut = is(receipts.optedOut);
  const isDelivered = is(receipts.delivered);
  // On its way, or no state of this gateway's.
  if (!isDelivered && !is(receipts.failed) && !isDead && !hasOptedOut) {
    told.unknown ??= status;
    return [];
  }
  const person = hasOptedOut ? personOf(firstOf(fields, receipts.to), 'to', told) : null;
  const optedOut: DomainEvent[] = person === null ? [] : [optOut(person, receivedAtMs)];
  const providerMessageId = readId(firstOf(fields, receipts.id), 'id', notes);
  if (providerMessageId === null) {
    note(notes, 'id', 'is missing');
    return optedOut;
  }
  const error = cleanText(firstOf(fields, receipts.error), 40);
  const receipt: DomainEvent = {
    type: isDelivered ? 'message.delivered' : 'message.failed',
    occurredAtMs: receivedAtMs,
    message: { account: accountOf(config.account), providerMessageId },
    detail: isDelivered ? null : [status.toUpperCase(), error].filter((word) => word !== null && !/^0+$/.test(word)).join(' '),
    // Without the number, the address of the message is all that can be closed.
    permanent: isDead || (hasOptedOut && person === null),
  };
  return [receipt, ...optedOut];
}

function readText(fields: Fields, texts: NonNullable<GatewayProfile['texts']>, told: Told): DomainEvent[] {
  const person = personOf(firstOf(fields, texts.from), 'from', told);
  if (person === null) return [];
  const text = readLines(firstOf(fields, texts.text) ?? undefined, 'text', told.notes, 2_000);
  return [{ type: 'message.received', occurredAtMs: told.receivedAtMs, person, channel: 'sms', text, unanswered: true }];
}

const optOut = (person: PersonRef, occurredAtMs: number): DomainEvent => ({
  type: 'contact.opted_out',
  occurredAtMs,
  person,
  channel: 'sms',
  final: false,
  source: 'sms-http',
  basis: 'person',
});

/** Gateways write numbers with their country code and without the plus. */
function personOf(value: string | null, path: string, { notes, store }: Told): PersonRef | null {
  const number = (value ?? '').replace(/[\s()-]/g, '');
  const international = /^(?:\+|00)?[1-9]\d{7,14}$/.test(number) ? `+${number.replace(/^(?:\+|00)/, '')}` : null;
  const phone = international === null ? null : readPhone([{ value: international, path }], notes, store, null);
  if (phone === null) note(notes, path, 'names nobody');
  return phone === null ? null : { email: null, phone, externalId: null };
}
