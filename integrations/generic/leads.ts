import { createHash } from 'node:crypto';
import { leadSources } from '../../domain/campaigns/campaign.ts';
import { botTypes } from '../../domain/subjects/lead/bot-type.ts';
import type { PersonRef, SubjectKey } from '../../domain/events.ts';
import { readInstant } from '../read/instant.ts';
import { readMoney } from '../read/money.ts';
import { note, readFields } from '../read/notes.ts';
import { namesSomebody } from '../read/person.ts';
import { readFlag, readId, readLines, readText } from '../read/text.ts';
import { readUrl } from '../read/url.ts';
import { readEventCurrency } from './carts.ts';
import { optOutsOf, readContact, readIdentity } from './person.ts';
import { type Read, type Reading, within } from './reading.ts';

// A key kind of its own: a lead and a cart of one system may have the same id.
const leadKey = (value: string): SubjectKey => ({ kind: 'lead', value });

/** Somebody asked about something. A form that sends no id has one lead per person: later inquiries are added to it. */
export const readLeadCreated: Read = (reading) => {
  const { data, notes, store, occurred } = reading;
  const fields = readFields(data['lead'], 'data.lead', notes) ?? {};
  const hasValue = 'value' in fields && fields['value'] !== null;
  const currency = hasValue ? readEventCurrency(reading, fields, 'data.lead', 'value') : null;
  const contact = readContact(reading, currency);
  const keys = keysOf(reading, fields['id'], 'data.lead.id', contact.person);
  if (keys.length === 0) return [];
  const area = readText(fields['area'], 'data.lead.area', notes, 200);
  const text = (field: string, longest: number) => readText(fields[field], `data.lead.${field}`, notes, longest);
  const preferences = text('preferences', 500);
  const [subId, clickId] = [text('sub_id', 200), text('click_id', 200)];
  const stated = text('via', 20);
  const via = leadSources.find((way) => way === stated?.trim().toUpperCase());
  if (stated !== null && via === undefined) note(notes, 'data.lead.via', `is none of ${leadSources.join(', ')}`);
  const statedBot = text('bot_type', 20);
  const botType = botTypes.find((type) => type === statedBot?.trim().toLowerCase());
  if (statedBot !== null && botType === undefined) note(notes, 'data.lead.bot_type', `is none of ${botTypes.join(', ')}`);
  const createdAt = readInstant(fields['created_at'], 'data.lead.created_at', notes, store.timeZone);
  return [
    ...optOutsOf(contact, occurred),
    {
      type: 'lead.created',
      ...occurred,
      keys,
      person: contact.person,
      lead: {
        createdAtMs: Math.min(createdAt?.ms ?? occurred.occurredAtMs, occurred.occurredAtMs),
        source: text('source', 100),
        ...(via === undefined ? {} : { via }),
        interest: text('interest', 200),
        message: readLines(fields['message'], 'data.lead.message', notes, 10_000),
        url: readUrl(fields['url'], 'data.lead.url', notes, store.url),
        ...(area === null ? {} : { area }),
        ...(preferences === null ? {} : { preferences }),
        ...(botType === undefined ? {} : { botType }),
        ...(subId === null ? {} : { subId }),
        ...(clickId === null ? {} : { clickId }),
        currency,
        valueMinor: currency === null ? null : readMoney(fields['value'], 'data.lead.value', notes, currency),
      },
    },
  ];
};

/** A colleague has spoken with the lead: named by its id, or by the person. */
export const readLeadContacted: Read = (reading) => {
  const { data, notes, occurred } = reading;
  const person = readIdentity(reading);
  const id = readId(data['lead_id'], 'data.lead_id', notes) ?? readId(within(reading, 'lead')['id'], 'data.lead.id', notes);
  if (id === null && !namesSomebody(person)) return [];
  const keys = id === null ? [] : [leadKey(id)];
  const by = readText(data['by'], 'data.by', notes, 100);
  const automated = readFlag(data['automated'], 'data.automated', notes) === true;
  return [{ type: 'lead.contacted', ...occurred, keys, person, by, ...(automated ? { automated } : {}) }];
};

const viewingStatuses = ['agreed', 'cancelled'] as const;

/** A viewing was agreed with the lead, or called off: the lead is named by its id, or by the person. */
export const readViewingReported: Read = (reading) => {
  const { data, notes, occurred } = reading;
  const person = readIdentity(reading);
  const lead = readId(data['lead_id'], 'data.lead_id', notes);
  if (lead === null && !namesSomebody(person)) return [];
  const fields = within(reading, 'viewing');
  const stated = readText(fields['status'], 'data.viewing.status', notes, 20);
  const status = viewingStatuses.find((one) => one === (stated ?? 'agreed'));
  if (status === undefined) {
    note(notes, 'data.viewing.status', `is none of ${viewingStatuses.join(', ')}`);
    return [];
  }
  // Who names none has one viewing at a time.
  const id = readId(fields['id'], 'data.viewing.id', notes) ?? 'viewing';
  return [
    { type: 'viewing.reported', ...occurred, keys: lead === null ? [] : [leadKey(lead)], person, viewing: { id, isOff: status === 'cancelled' } },
  ];
};

function keysOf({ notes }: Reading, value: unknown, path: string, person: PersonRef): SubjectKey[] {
  const id = readId(value, path, notes);
  if (id !== null) return [leadKey(id)];
  if (!namesSomebody(person)) return [];
  note(notes, path, "is missing: taken as the person's only lead");
  const who = person.externalId ?? person.email ?? person.phone ?? '';
  return [{ kind: 'lead_of', value: createHash('sha256').update(who).digest('hex') }];
}
