import type { DomainEvent } from '../../domain/events.ts';
import { outcomeOf, plainStatus } from '../../domain/conversions/outcome.ts';
import type { Delivery, Normalised, Receiver, Refusal, Secrets, StoreContext } from '../port.ts';
import { parseForm } from '../read/form.ts';
import { currencyWithin, readCurrency, readMoney } from '../read/money.ts';
import { type Fields, isAbsent, type Notes, note } from '../read/notes.ts';
import { readId } from '../read/text.ts';
import { understood } from '../read/understood.ts';
import { isToken } from '../shared-token.ts';
import { asDedupeKey, cleanText } from '../untrusted-text.ts';
import { verifiedReceiver } from '../verified-receiver.ts';
import { keitaroConfig, statusesOf } from './config.ts';

const topic = 'postback';
const tokenName = 'token';
/** Without a status, a postback reports a sale: networks that pay for nothing else send none. */
const usualStatus = 'sale';

const byAddress = verifiedReceiver<Fields>({
  topics: [topic],
  methods: ['POST', 'GET'],
  readsConfig: true,
  readsHeaders: [],
  readsQuery: { allBut: [tokenName] },
  topicHeader: null,
  // Keitaro repeats nothing, and its log shows the operator what was wrong.
  answersUnreadable: 'refuse',
  verify,
  parse: (delivery) => ({ body: fieldsOf(delivery) }),
  dedupeKey: (delivery) => keyOf(fieldsOf(delivery)),
  normalise,
});

/**
 * Postbacks of a Keitaro tracker, by GET or POST. Their fields are what the operator's URL template names them, with Keitaro's macros as values. They
 * carry no signature: the address is the secret, and may hold a token beside it.
 * Source: docs.keitaro.io/en/campaigns-and-streams/s2s-postback-placeholders.html
 */
export const keitaroReceiver: Receiver = {
  ...byAddress,
  receive(delivery, secrets, store) {
    const config = keitaroConfig.safeParse(store.config ?? {});
    const isNamed = new URL(delivery.url).searchParams.has(tokenName);
    if (config.success && config.data.requireToken && !isNamed) return { kind: 'refused', reason: 'missing_signature' };
    return byAddress.receive(delivery, secrets, store);
  },
};

/** The address of a connection is known to its tracker alone; the address without one is known to everybody, and needs the token. */
function verify(delivery: Delivery, secrets: Secrets): Refusal | null {
  const { pathname, searchParams } = new URL(delivery.url);
  const token = searchParams.get(tokenName);
  if (token !== null) return isToken(secrets, token) ? null : 'bad_signature';
  return /\/keitaro\/[^/]+\/?$/.test(pathname) ? null : 'missing_signature';
}

/** Of the query, and of a body that is JSON or a form. */
function fieldsOf({ raw, url }: Delivery): Fields {
  const query = parseForm(Buffer.from(new URL(url).search.slice(1)));
  if (raw.length === 0) return query;
  const json = readJson(raw.toString('utf8'));
  return { ...query, ...(json ?? parseForm(raw)) };
}

function readJson(text: string): Fields | null {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === 'object' && read !== null && !Array.isArray(read) ? (read as Fields) : null;
  } catch {
    return null;
  }
}

/** A macro that the tracker did not fill in: `{subid}`, also where it was encoded once more. */
const isMacro = (value: unknown): boolean => typeof value === 'string' && /^(?:\{|%7b)[\w:,. =-]+(?:\}|%7d)$/i.test(value.trim());

/** A report is known by click, status and transaction, whatever else stands around them. */
function keyOf(fields: Fields): string | null {
  const told = readNames(fields, []);
  return told === null ? null : asDedupeKey(`${told.click} ${told.status} ${told.tid}`);
}

interface Names {
  ids: string[];
  click: string;
  subId: string | null;
  clickId: string | null;
  status: string;
  tid: string;
}

/** @returns null where it names no click, or has a macro in place of a name or a status */
function readNames(fields: Fields, notes: Notes): Names | null {
  const id = (name: string): string | null => {
    if (fields[name] === '') return null;
    if (!isMacro(fields[name])) return readId(fields[name], name, notes);
    note(notes, name, 'holds a macro that Keitaro did not fill in: check the URL of the postback');
    return null;
  };
  const [trackerId, subId, clickId] = [id('subid'), id('sub_id'), id('click_id')];
  const click = trackerId ?? subId;
  const stated = fields['status'];
  if (isMacro(stated)) {
    note(notes, 'status', 'holds a macro that Keitaro did not fill in: check the URL of the postback');
    return null;
  }
  if (click === null) {
    if (notes.length === 0) note(notes, 'sub_id', 'is missing, and so is subid: the postback names no click');
    return null;
  }
  const status = plainStatus(cleanText(typeof stated === 'number' ? String(stated) : stated, 100) ?? '') || usualStatus;
  const ids = [...new Set([subId, trackerId, clickId])].filter((one) => one !== null);
  return { ids, click, subId, clickId, status, tid: id('tid') ?? '' };
}

function normalise({ receivedAtMs }: Delivery, fields: Fields, store: StoreContext): Normalised {
  const notes: Notes = [];
  const config = keitaroConfig.safeParse(store.config ?? {});
  const names = readNames(fields, notes);
  if (names === null) return understood(topic, [], notes, true);
  const own = new Map([...mappedIn(fields), ...(config.success ? statusesOf(config.data) : [])]);
  const outcome = outcomeOf(names.status, own);
  if (outcome === 'other') note(notes, 'status', 'is not known: it is kept and changes nothing; `statuses` of the connection says what yours mean');
  const event: DomainEvent = {
    type: 'conversion.reported',
    occurredAtMs: receivedAtMs,
    conversion: { ...names, outcome, ...amountOf(fields, notes, config.success ? config.data.currency : undefined, store) },
  };
  return { kind: 'events', topic, events: [event], notes, reply: { contentType: 'text/plain; charset=utf-8', body: 'OK' } };
}

/** What the postback itself says that a network's statuses mean: `sale_status=confirmed,approved`. */
function mappedIn(fields: Fields): [string, 'sale' | 'lead' | 'reject' | 'rebill'][] {
  const names = { sale_status: 'sale', lead_status: 'lead', rejected_status: 'reject', rebill_status: 'rebill' } as const;
  return Object.entries(names).flatMap(([name, outcome]) => {
    const list = cleanText(fields[name], 1_000);
    if (list === null || isMacro(list)) return [];
    return list.split(',').map((status): [string, typeof outcome] => [plainStatus(status), outcome]);
  });
}

function amountOf(
  fields: Fields,
  notes: Notes,
  usual: string | undefined,
  store: StoreContext,
): { currency: string | null; payoutMinor: number | null } {
  const name = isAbsent(fields['payout']) ? 'revenue' : 'payout';
  const stated = fields[name];
  if (isAbsent(stated) || stated === '') return { currency: null, payoutMinor: null };
  if (isMacro(stated)) {
    note(notes, name, 'holds a macro that Keitaro did not fill in: the amount is not known');
    return { currency: null, payoutMinor: null };
  }
  const named = fields['currency'] === '' || isMacro(fields['currency']) ? null : readCurrency(fields['currency'], 'currency', notes);
  const currency = named ?? currencyWithin(stated) ?? usual ?? store.currency;
  const payoutMinor = readMoney(stated, name, notes, currency);
  return payoutMinor === null ? { currency: null, payoutMinor: null } : { currency, payoutMinor };
}
