import { consentChannels, type DomainEvent, type PersonDetails, type PersonRef, type ReportedConsent } from '../../domain/events.ts';
import { readConsentAnswer } from '../read/consent-answer.ts';
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
  const { granted, denied, wording } = readMarketing(reading, fields['marketing']);
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
    consents: namesSomebody(identity)
      ? granted.map((channel) => ({ channel, state: 'granted', basis: 'box', atMs: null, ...(wording === null ? {} : { wording }) }))
      : [],
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

interface Marketing {
  granted: ReportedConsent['channel'][];
  denied: ReportedConsent['channel'][];
  /** What stood beside the box; null: nothing is said of it. */
  wording: string | null;
}

function readMarketing({ notes }: Reading, value: unknown): Marketing {
  const path = 'data.contact.marketing';
  const fields = readFields(value, path, notes) ?? {};
  const said: Marketing = { granted: [], denied: [], wording: readText(fields['wording'], `${path}.wording`, notes, 1_000) };
  for (const channel of consentChannels) {
    const answer = fields[channel];
    if (isAbsent(answer)) continue;
    const read = readConsentAnswer(answer);
    if (read === null) note(notes, `${path}.${channel}`, 'is no answer that we know: left out');
    else if (read !== 'not_stated') said[read].push(channel);
  }
  return said;
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
