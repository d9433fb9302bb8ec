import { factOfTrigger, marketTriggerReport } from '../../domain/facts/market-trigger.ts';
import { factReport, type ReportedFact } from '../../domain/facts/report.ts';
import { isAbsent, type Notes, note, readEntries } from '../read/notes.ts';
import { noteIssues } from './issues.ts';
import type { Read } from './reading.ts';

const mostFacts = 500;

/** Facts about products, areas and offers, as `POST /api/facts` takes them. One that is wrong is left out, and named. */
export const readFactsUpdated: Read = ({ data, notes, occurred }) => {
  const one = data['fact'];
  const list = isAbsent(data['facts']) && !isAbsent(one) ? [one] : data['facts'];
  const facts = readEntries(list, 'data.facts', notes, mostFacts, (entry, path) => readFact(entry, path, notes)) ?? [];
  if (facts.length === 0) {
    if (notes.length === 0) note(notes, 'data.facts', 'is missing or empty');
    return [];
  }
  const stated = facts.map((fact) => ({ ...fact, observedAtMs: fact.observedAtMs ?? occurred.occurredAtMs }));
  // A store's own systems may speak of the products of any of its shops.
  return [{ type: 'facts.reported', ...occurred, of: 'store', by: 'webhook', facts: stated }];
};

/** What has happened in markets, as `POST /api/market-triggers` takes it. */
export const readMarketTriggers: Read = ({ data, notes, occurred }) => {
  const one = data['trigger'];
  const list = isAbsent(data['triggers']) && !isAbsent(one) ? [one] : data['triggers'];
  const triggers = readEntries(list, 'data.triggers', notes, mostFacts, (entry, path) => {
    const read = marketTriggerReport.safeParse(entry);
    if (read.success) return factOfTrigger(read.data, occurred.occurredAtMs);
    noteIssues(read.error.issues, path, notes);
    return null;
  });
  if (triggers === null || triggers.length === 0) {
    if (notes.length === 0) note(notes, 'data.triggers', 'is missing or empty');
    return [];
  }
  return [{ type: 'facts.reported', ...occurred, of: 'store', by: 'webhook', facts: triggers }];
};

function readFact(entry: unknown, path: string, notes: Notes): ReportedFact | null {
  const read = factReport.safeParse(entry);
  if (read.success) return read.data;
  noteIssues(read.error.issues, path, notes);
  return null;
}
