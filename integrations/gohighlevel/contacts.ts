import type { DomainEvent, PersonDetails, PersonRef } from '../../domain/events.ts';
import { readCountry } from '../read/country.ts';
import { readInstant } from '../read/instant.ts';
import { readTimeZone } from '../read/locale.ts';
import { type Fields, note, readFields, readList } from '../read/notes.ts';
import { nobody, readEmail, readPhone } from '../read/person.ts';
import { readId, readText } from '../read/text.ts';
import { occurredAt } from '../read/understood.ts';
import { cleanText } from '../untrusted-text.ts';
import type { GoHighLevelConfig } from './config.ts';
import type { Told } from './messages.ts';

const dndChannels = [
  ['SMS', 'sms'],
  ['Email', 'email'],
  ['WhatsApp', 'whatsapp'],
  ['Call', 'call'],
] as const;

/** A contact as it stands, and what its switches for "do not disturb" say. */
export function readContact(told: Told, isNewLead: boolean): DomainEvent[] {
  const { fields, occurred } = told;
  const person = personIn(told);
  if (person === null) return [];
  return [
    { type: 'contact.updated', ...occurred, person },
    ...(isNewLead ? [leadOf(told, person)] : []),
    ...readDnd(fields, { email: person.email, phone: person.phone, externalId: person.externalId }, told),
  ];
}

/** A contact that was deleted is written to no more, until it is there again. */
export function readDeleted(told: Told): DomainEvent[] {
  const person = personIn(told);
  if (person === null) return [];
  const { email, phone, externalId } = person;
  return [{ type: 'contact.opted_out', ...told.occurred, ...switched, person: { email, phone, externalId }, channel: null, final: false }];
}

/** Whether the contact is a lead, by what the connection says. */
export function isLead({ leads }: Pick<GoHighLevelConfig, 'leads'>, type: string, fields: Fields): boolean {
  if (leads === undefined) return false;
  if (leads === 'every_contact') return type === 'ContactCreate';
  const tags = (readList(fields['tags'], 'tags', [], 200) ?? []).map((tag) => cleanText(tag, 100)?.toLowerCase());
  return type !== 'ContactDndUpdate' && leads.tags.some((tag) => tags.includes(tag.toLowerCase()));
}

const switched = { source: 'gohighlevel', basis: 'record', dnd: true } as const;

/**
 * `dnd` closes everything; otherwise each channel has a switch, of which every state but `inactive` closes. They say how things stand, so that what a
 * switch has closed is opened where it stands open again. A switch is no consent.
 */
function readDnd(fields: Fields, person: PersonRef, { notes, occurred }: Told): DomainEvent[] {
  const settings = readFields(fields['dndSettings'], 'dndSettings', notes);
  const dnd = fields['dnd'];
  if (dnd === true) return [{ type: 'contact.opted_out', ...occurred, ...switched, person, channel: null, final: false }];
  const states = dndChannels.flatMap(([name, channel]) => {
    // Webhooks write `SMS`, and the API `sms`.
    const own = Object.entries(settings ?? {}).find(([given]) => given.toLowerCase() === channel)?.[1];
    const status = cleanText(readFields(own, `dndSettings.${name}`, notes)?.['status'], 40)?.toLowerCase();
    return status === undefined ? [] : [{ channel, isClosed: status !== 'inactive' }];
  });
  const closed = states.filter(({ isClosed }) => isClosed);
  if (closed.length === 0) {
    const isStated = dnd === false || states.length > 0;
    return isStated ? [{ type: 'contact.opted_in', ...occurred, ...switched, person, channel: null, wording: null, confirmed: false }] : [];
  }
  return states.map(
    ({ channel, isClosed }): DomainEvent =>
      isClosed
        ? { type: 'contact.opted_out', ...occurred, ...switched, person, channel, final: false }
        : { type: 'contact.opted_in', ...occurred, ...switched, person, channel, wording: null, confirmed: false },
  );
}

function personIn({ fields, notes, store }: Told): PersonDetails | null {
  const externalId = readId(fields['id'] ?? fields['contactId'], 'id', notes);
  if (externalId === null) {
    note(notes, 'id', 'is missing: no contact is named');
    return null;
  }
  const country = readCountry(fields['country'], 'country', notes);
  const candidate = (name: string) => (fields[name] === '' ? [] : [{ value: fields[name], path: name }]);
  const name = (field: string) => (fields[field] === '' ? null : readText(fields[field], field, notes, 100));
  return {
    ...nobody,
    externalId,
    email: readEmail(candidate('email'), notes, store),
    phone: readPhone(candidate('phone'), notes, store, country),
    firstName: name('firstName'),
    lastName: name('lastName'),
    country,
    timeZone: fields['timezone'] === '' ? null : readTimeZone(fields['timezone'], 'timezone', notes),
  };
}

/** As often as it is reported, it is the lead that was made with the contact. */
function leadOf({ fields, notes, store, occurred }: Told, person: PersonDetails): DomainEvent {
  const added = occurredAt(readInstant(fields['dateAdded'], 'dateAdded', notes, store.timeZone), null, notes, occurred.occurredAtMs);
  return {
    type: 'lead.created',
    ...added,
    keys: [{ kind: 'lead', value: person.externalId ?? '' }],
    person,
    lead: {
      createdAtMs: added.occurredAtMs,
      source: fields['source'] === '' ? null : readText(fields['source'], 'source', notes, 200),
      interest: null,
      message: null,
      url: null,
      currency: null,
      valueMinor: null,
    },
  };
}
