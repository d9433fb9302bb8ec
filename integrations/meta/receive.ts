import { createHash } from 'node:crypto';
import type { DomainEvent } from '../../domain/events.ts';
import type { Lookup, Normalised, Receiver, StoreContext } from '../port.ts';
import { type Fields, type Notes, note, readFields, readList } from '../read/notes.ts';
import { exactBody } from '../read/parse-exactly.ts';
import { readId } from '../read/text.ts';
import { understood } from '../read/understood.ts';
import { asDedupeKey, cleanText } from '../untrusted-text.ts';
import { jsonReceiver } from '../verified-receiver.ts';
import { metaConfig } from './config.ts';
import { byName, fieldOf } from './fields.ts';
import { answerHandshake, verifyHub } from './hub.ts';
import { resolveLead } from './graph.ts';
import { answersOf, type LeadReading, readLead } from './lead.ts';

const topic = 'leadgen';
const mostEntries = 1_000;

/** One lead of a delivery. */
interface Change {
  value: Fields;
  path: string;
}

const posts = jsonReceiver({
  topics: [topic],
  readsHeaders: [],
  topicHeader: null,
  // Meta would repeat a refused delivery for 36 hours, and then stop delivering.
  answersUnreadable: 'accept',

  verify: verifyHub,

  // A repeat may be batched differently: the leads of a delivery are known by their ids, whatever stands around them.
  dedupeKey({ raw }) {
    const { changes } = changesIn(raw, null, []);
    const ids = changes.map(({ value, path }) => readId(value['leadgen_id'], path, []));
    const known = ids.filter((id) => id !== null);
    if (known.length === 0 || known.length < ids.length) return `sha256:${createHash('sha256').update(raw).digest('hex')}`;
    return asDedupeKey([...new Set(known)].toSorted((a, b) => (a < b ? -1 : 1)).join(' '));
  },

  normalise(delivery, body, store) {
    const notes: Notes = [];
    const { changes, others } = changesIn(delivery.raw, body, notes);
    const [other] = others;
    if (changes.length === 0 && notes.length === 0 && other !== undefined) return { kind: 'ignored', topic: other };
    const { fields = {}, consents = {} } = configOf(store) ?? {};
    const reading: LeadReading = { notes, store, receivedAtMs: delivery.receivedAtMs, fieldOf: fieldOf(fields), consentOf: byName(consents) };
    const read = changes.map((change) => readChange(change, reading));
    return withLookups(
      read.flatMap(({ events }) => events),
      read.flatMap(({ lookups }) => lookups),
      notes,
    );
  },
});

/**
 * Lead ads of a Facebook page. Meta checks the address by GET, and delivers by POST: the ids of leads, which are then fetched, or, where a program
 * of yours stands between, their fields.
 * Source: developers.facebook.com/docs/graph-api/webhooks/getting-started, …/docs/marketing-api/guides/lead-ads/retrieving
 */
export const metaReceiver: Receiver = {
  ...posts,
  methods: ['GET', 'POST'],
  readsConfig: true,
  receive: (delivery, secrets, store) =>
    delivery.method === 'GET' ? answerHandshake(delivery, configOf(store)?.verifyToken ?? null) : posts.receive(delivery, secrets, store),
  resolve: resolveLead,
};

function configOf({ config }: StoreContext) {
  const read = metaConfig.safeParse(config);
  return read.success ? read.data : null;
}

/** The leads in a body, and the other fields that it reports. @param body - as `JSON.parse` read it, which rounds ids beyond 2^53 */
function changesIn(raw: Buffer, body: unknown, notes: Notes): { changes: Change[]; others: string[] } {
  const changes: Change[] = [];
  const others: string[] = [];
  const entries = readList(readFields(exactBody(raw, body), 'body', notes)?.['entry'], 'entry', notes, mostEntries);
  for (const [at, entry] of (entries ?? []).entries()) {
    const list = readList(readFields(entry, `entry.${at}`, notes)?.['changes'], `entry.${at}.changes`, notes, mostEntries);
    for (const [index, change] of (list ?? []).entries()) {
      const path = `entry.${at}.changes.${index}`;
      const fields = readFields(change, path, notes);
      const field = cleanText(fields?.['field'], 100)?.toLowerCase() ?? null;
      if (field !== null && field !== topic) others.push(field);
      const value = field === topic ? readFields(fields?.['value'], `${path}.value`, notes) : null;
      if (value !== null) changes.push({ value, path: `${path}.value` });
      else if (field === null || field === topic) note(notes, path, 'names no lead: left out');
    }
  }
  return { changes, others };
}

function readChange({ value, path }: Change, reading: LeadReading): { events: DomainEvent[]; lookups: Lookup[] } {
  const answers = answersOf(value, path, reading.notes);
  if (answers.some(({ name }) => reading.fieldOf(name) !== null)) return { events: readLead(value, path, answers, reading), lookups: [] };
  const id = readId(value['leadgen_id'], `${path}.leadgen_id`, reading.notes);
  // Meta's own ids are numbers; anything else would become part of an address.
  if (id === null || !/^\d{1,40}$/.test(id)) {
    note(reading.notes, `${path}.leadgen_id`, 'is no id of a lead');
    return { events: [], lookups: [] };
  }
  return { events: [], lookups: [{ key: `leadgen:${id}`, topic, what: { leadgen_id: id } }] };
}

function withLookups(events: DomainEvent[], lookups: Lookup[], notes: Notes): Normalised {
  if (lookups.length === 0) return understood(topic, events, notes, false);
  return { kind: 'events', topic, events, notes, lookups };
}
