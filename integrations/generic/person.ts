import type { ReportedConsent, DomainEvent, PersonDetails, PersonRef } from '../../domain/events.ts';
import { readCountry, readRegion } from '../read/country.ts';
import { readLocale, readTimeZone } from '../read/locale.ts';
import { readCurrency, readMoney } from '../read/money.ts';
import { isAbsent, note, readFields } from '../read/notes.ts';
import { namesSomebody, readEmail, readPhone } from '../read/person.ts';
import { readCount, readId, readText } from '../read/text.ts';
import type { Reading } from './reading.ts';

/** A contact, and the channels on which the person has opted out. */
export interface Contact {
  person: PersonDetails;
  denied: ReportedConsent['channel'][];
}

/** All fields of `contact`. */
export function readContact(reading: Reading, currency: string | null): Contact {
  const { notes } = reading;
  const fields = readFields(reading.data['contact'], 'data.contact', notes) ?? {};
  const text = (field: string, maxLength: number) => readText(fields[field], `data.contact.${field}`, notes, maxLength);
  const country = readCountry(fields['country'], 'data.contact.country', notes);
  const identity = readIdentity(reading, country);
  const { granted, denied } = readMarketing(reading, fields['marketing']);
  const own = isAbsent(fields['currency']) ? currency : readCurrency(fields['currency'], 'data.contact.currency', notes);
  const person: PersonDetails = {
    ...identity,
    firstName: text('first_name', 100),
    lastName: text('last_name', 100),
    locale: readLocale(fields['locale'], 'data.contact.locale', notes),
    timeZone: readTimeZone(fields['time_zone'], 'data.contact.time_zone', notes),
    country,
    region: readRegion(fields['region'], 'data.contact.region', notes),
    orderCount: readCount(fields['order_count'], 'data.contact.order_count', notes),
    lifetimeValueMinor: readMoney(fields['lifetime_value'], 'data.contact.lifetime_value', notes, own),
    consents: namesSomebody(identity) ? granted.map((channel) => ({ channel, state: 'granted', basis: 'box', atMs: null })) : [],
  };
  return { person, denied };
}

/** The identities in `contact`. */
export function readIdentity({ data, notes, store }: Reading, country: string | null = null): PersonRef {
  const fields = readFields(data['contact'], 'data.contact', notes) ?? {};
  const lives = country ?? readCountry(fields['country'], 'data.contact.country', notes);
  return {
    email: readEmail([{ value: fields['email'], path: 'data.contact.email' }], notes, store),
    phone: readPhone([{ value: fields['phone'], path: 'data.contact.phone' }], notes, store, lives),
    externalId: readId(fields['id'], 'data.contact.id', notes),
  };
}

const yes = ['true', 'yes', '1', 'on', 'granted', 'subscribed', 'opted_in', 'confirmed'];
/** An unticked box. */
const notStated = ['false', 'no', '0', 'off', '', 'not_stated', 'not_subscribed', 'unknown', 'null', 'none', 'pending'];
const denials = ['denied', 'unsubscribed', 'opted_out', 'withdrawn', 'revoked'];

function readMarketing({ notes }: Reading, value: unknown): Record<'granted' | 'denied', ReportedConsent['channel'][]> {
  const path = 'data.contact.marketing';
  const fields = readFields(value, path, notes) ?? {};
  const said: Record<'granted' | 'denied', ReportedConsent['channel'][]> = { granted: [], denied: [] };
  for (const channel of ['email', 'sms'] as const) {
    const answer = fields[channel];
    if (isAbsent(answer)) continue;
    const word = wordOf(answer);
    if (yes.includes(word)) said.granted.push(channel);
    else if (denials.includes(word)) said.denied.push(channel);
    else if (!notStated.includes(word)) note(notes, `${path}.${channel}`, 'is no answer that we know: left out');
  }
  return said;
}

function wordOf(answer: unknown): string {
  if (typeof answer !== 'string' && typeof answer !== 'boolean' && typeof answer !== 'number') return '?';
  return String(answer)
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, '_');
}

/** `"denied"` is the person's own statement: an opt-out, not an unticked box. */
export function optOutsOf({ person, denied }: Contact, occurred: { occurredAtMs: number }): DomainEvent[] {
  const { email, phone, externalId } = person;
  if (!namesSomebody(person)) return [];
  return denied.map((channel) => ({
    type: 'contact.opted_out',
    occurredAtMs: occurred.occurredAtMs,
    person: { email, phone, externalId },
    channel,
    final: false,
    source: 'webhook',
    basis: 'person',
  }));
}
