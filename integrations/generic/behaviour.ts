import { createHash } from 'node:crypto';
import type { PersonRef, SubjectKey } from '../../domain/events.ts';
import { behaviourReport, type ReportedBehaviour } from '../../domain/risk/behaviour.ts';
import { readInstant } from '../read/instant.ts';
import { isAbsent, type Notes, note, readEntries, readFields } from '../read/notes.ts';
import { namesSomebody } from '../read/person.ts';
import { readId, readText } from '../read/text.ts';
import { readUrl } from '../read/url.ts';
import { noteIssues } from './issues.ts';
import { optOutsOf, readContact } from './person.ts';
import type { Read, Reading } from './reading.ts';

const mostAtOnce = 500;
/** How far ahead a source's clock may be. */
const aheadMs = 5 * 60_000;

/** What an account did, as `POST /api/behaviour` takes it. An entry that is wrong is left out, and named. */
export const readBehaviourReported: Read = (reading) => {
  const { data, notes, store, occurred } = reading;
  const fields = readFields(data['account'], 'data.account', notes) ?? {};
  const contact = readContact(reading, null);
  const keys = keysOf(reading, fields['id'], contact.person);
  const list = isAbsent(data['behaviour']) ? [] : data['behaviour'];
  const entries = readEntries(list, 'data.behaviour', notes, mostAtOnce, (entry, path) => readOne(entry, path, notes, occurred.occurredAtMs)) ?? [];
  if (keys.length === 0) {
    note(notes, 'data.account.id', 'is missing, and `contact` names nobody: it cannot be told whose behaviour this is');
    return [];
  }
  if (entries.length === 0 && notes.length > 0) return [];
  const createdAt = readInstant(fields['created_at'], 'data.account.created_at', notes, store.timeZone);
  const times = entries.map(({ atMs }) => atMs ?? occurred.occurredAtMs);
  // Old behaviour that is reported late is no sign that somebody is there now.
  const latestMs = times.length === 0 ? occurred.occurredAtMs : Math.max(...times);
  return [
    ...optOutsOf(contact, occurred),
    {
      type: 'behaviour.reported',
      ...occurred,
      occurredAtMs: latestMs,
      keys,
      person: contact.person,
      account: {
        createdAtMs: Math.min(createdAt?.ms ?? latestMs, ...times, latestMs),
        name: readText(fields['name'], 'data.account.name', notes, 200),
        url: readUrl(fields['url'], 'data.account.url', notes, store.url),
        area: readText(fields['area'], 'data.account.area', notes, 200),
      },
      behaviour: entries.map((entry) => ({ ...entry, atMs: entry.atMs ?? occurred.occurredAtMs })),
    },
  ];
};

function readOne(entry: unknown, path: string, notes: Notes, nowMs: number): ReportedBehaviour | null {
  const read = behaviourReport.safeParse(entry);
  if (!read.success) {
    noteIssues(read.error.issues, path, notes);
    return null;
  }
  const { atMs } = read.data;
  if (atMs === null || atMs <= nowMs) return read.data;
  if (atMs <= nowMs + aheadMs) return { ...read.data, atMs: nowMs };
  note(notes, `${path}.at`, 'lies after the time of the report: left out');
  return null;
}

function keysOf({ notes }: Reading, value: unknown, person: PersonRef): SubjectKey[] {
  const id = readId(value, 'data.account.id', notes);
  if (id !== null) return [{ kind: 'account', value: id }];
  if (!namesSomebody(person)) return [];
  // Without an id a person has one account.
  const who = person.externalId ?? person.email ?? person.phone ?? '';
  return [{ kind: 'account_of', value: createHash('sha256').update(who).digest('hex') }];
}
