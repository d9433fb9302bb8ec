import { createHash } from 'node:crypto';
import type { DomainEvent, PersonRef, ReportedConsent, SubjectKey } from '../../domain/events.ts';
import type { StoreContext } from '../port.ts';
import { readConsentAnswer } from '../read/consent-answer.ts';
import { readInstant } from '../read/instant.ts';
import { type Fields, isAbsent, type Notes, note, readList } from '../read/notes.ts';
import { namesSomebody, nobody, readEmail, readPhone } from '../read/person.ts';
import { readId, readText } from '../read/text.ts';
import { occurredAt } from '../read/understood.ts';
import { cleanText } from '../untrusted-text.ts';
import type { LeadField } from './fields.ts';

const mostFields = 100;
const mostAttributes = 50;

/** Of a notification, what says where the lead came from; everything else in a flat one is an answer. */
const origin = ['form_id', 'ad_id', 'campaign_id', 'platform'] as const;
const ownFields = new Set<string>([
  ...origin,
  'leadgen_id',
  'id',
  'page_id',
  'adgroup_id',
  'adset_id',
  'created_time',
  'field_data',
  'is_organic',
  'custom_disclaimer_responses',
]);

/** A question and its answer; `path` says where they stand. */
interface Answer {
  name: string;
  value: unknown;
  path: string;
}

/** How a lead is read. */
export interface LeadReading {
  notes: Notes;
  store: StoreContext;
  receivedAtMs: number;
  fieldOf: (name: string) => LeadField | null;
  /** To which channel a box or an answer agrees; null: it is none about that. */
  consentOf: (name: string) => ReportedConsent['channel'] | null;
}

/**
 * The answers of a form: as a list, `field_data: [{ name, values }]`, or flat, as `{ email: … }`.
 * @returns none where there are only ids: then the lead has to be fetched
 */
export function answersOf(value: Fields, path: string, notes: Notes): Answer[] {
  const list = isAbsent(value['field_data']) ? null : readList(value['field_data'], `${path}.field_data`, notes, mostFields);
  const listed = (list ?? []).flatMap((entry, index): Answer[] => {
    const at = `${path}.field_data.${index}`;
    const { name, values, value: single } = typeof entry === 'object' && entry !== null ? (entry as Fields) : {};
    if (typeof name === 'string')
      return [{ name, value: Array.isArray(values) ? values.find((one) => !isAbsent(one) && one !== '') : (values ?? single), path: at }];
    note(notes, at, 'has no name: left out');
    return [];
  });
  const flat = Object.entries(value).filter(([name]) => !ownFields.has(name));
  if (flat.length > mostFields) note(notes, path, `has more than ${mostFields} fields: the rest was left out`);
  // The names are the sender's own, so a note says only where they stand.
  return [...listed, ...flat.slice(0, mostFields).map(([name, given], index) => ({ name, value: given, path: `${path}.field_${index}` }))].filter(
    ({ value: given }) => !isAbsent(given) && given !== '' && !isDummy(given),
  );
}

/** What Meta's Lead Ads Testing Tool fills in: `<test lead: dummy data for full_name>` is nobody's name. */
const isDummy = (value: unknown): boolean => typeof value === 'string' && /^<test lead: dummy data for [^>]*>$/.test(value.trim());

/** A lead as an event. @returns none where it has neither an id nor an address */
export function readLead(value: Fields, path: string, answers: readonly Answer[], reading: LeadReading): DomainEvent[] {
  const { notes, store, receivedAtMs, fieldOf } = reading;
  const of = (wanted: LeadField) => answers.filter(({ name }) => fieldOf(name) === wanted);
  const text = (wanted: LeadField, most: number) => of(wanted).map((answer) => readText(answer.value, answer.path, notes, most))[0] ?? null;
  const id = (wanted: LeadField) => of(wanted).map((answer) => readId(answer.value, answer.path, notes))[0] ?? null;
  const [first, ...rest] = (text('fullName', 200) ?? '').split(/\s+/).filter((part) => part !== '');
  const person = {
    ...nobody,
    email: readEmail(of('email'), notes, store),
    phone: readPhone(of('phone'), notes, store, null),
    firstName: text('firstName', 100) ?? first?.slice(0, 100) ?? null,
    lastName: text('lastName', 100) ?? (rest.length === 0 ? null : rest.join(' ').slice(0, 100)),
  };
  const keys = keysOf(readId(value['leadgen_id'] ?? value['id'], `${path}.leadgen_id`, notes), person, `${path}.leadgen_id`, notes);
  if (keys.length === 0) return [];
  const created = readInstant(value['created_time'], `${path}.created_time`, notes, store.timeZone);
  const occurred = occurredAt(created, isAbsent(value['created_time']) ? null : `${path}.created_time`, notes, receivedAtMs);
  const [subId, clickId] = [id('sub_id'), id('click_id')];
  const [area, preferences] = [text('area', 200), text('preferences', 500)];
  const consents = namesSomebody(person) ? consentsOf(value, path, answers, reading) : [];
  const attributes = attributesOf(value, path, answers, reading);
  return [
    {
      type: 'lead.created',
      ...occurred,
      keys,
      person: { ...person, consents },
      lead: {
        createdAtMs: occurred.occurredAtMs,
        source: 'META',
        interest: text('interest', 200),
        message: null,
        url: null,
        currency: null,
        valueMinor: null,
        ...(area === null ? {} : { area }),
        ...(preferences === null ? {} : { preferences }),
        ...(subId === null ? {} : { subId }),
        ...(clickId === null ? {} : { clickId }),
        ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
      },
    },
  ];
}

/** Boxes that were ticked, and questions about marketing that were answered with yes. One that was not ticked says nothing. */
function consentsOf(value: Fields, path: string, answers: readonly Answer[], { notes, consentOf }: LeadReading): ReportedConsent[] {
  const boxes = isAbsent(value['custom_disclaimer_responses'])
    ? []
    : (readList(value['custom_disclaimer_responses'], `${path}.custom_disclaimer_responses`, notes, mostFields) ?? []);
  const ticked = boxes.flatMap((box, index): Answer[] => {
    const { checkbox_key: name, is_checked: checked } = typeof box === 'object' && box !== null ? (box as Fields) : {};
    return typeof name === 'string' ? [{ name, value: checked, path: `${path}.custom_disclaimer_responses.${index}` }] : [];
  });
  return [...ticked, ...answers].flatMap(({ name, value: said, path: at }): ReportedConsent[] => {
    const channel = consentOf(name);
    if (channel === null) return [];
    const read = readConsentAnswer(said);
    if (read === null) note(notes, at, 'is no answer that we know: nobody agreed by it');
    return read === 'granted' ? [{ channel, state: 'granted', basis: 'box', atMs: null }] : [];
  });
}

function keysOf(id: string | null, person: PersonRef, path: string, notes: Notes): SubjectKey[] {
  if (id !== null) return [{ kind: 'lead', value: id }];
  if (!namesSomebody(person)) return [];
  note(notes, path, "is missing: taken as the person's only lead");
  return [
    {
      kind: 'lead_of',
      value: createHash('sha256')
        .update(person.email ?? person.phone ?? '')
        .digest('hex'),
    },
  ];
}

/** Where the lead came from, and the answers that no field of ours takes. */
function attributesOf(value: Fields, path: string, answers: readonly Answer[], { notes, fieldOf, consentOf }: LeadReading): Record<string, string> {
  const given = [
    ...origin.flatMap((name) => (isAbsent(value[name]) ? [] : [{ name, value: value[name], path: `${path}.${name}` }])),
    ...answers.filter(({ name }) => fieldOf(name) === null && consentOf(name) === null),
  ];
  const read = given.flatMap((answer): [string, string][] => {
    const name = cleanText(answer.name, 100);
    const said = readText(answer.value, answer.path, notes, 1_000);
    return name === null || said === null ? [] : [[name, said]];
  });
  if (read.length > mostAttributes) note(notes, path, `has more than ${mostAttributes} answers: the rest was left out`);
  return Object.fromEntries(read.slice(0, mostAttributes));
}
