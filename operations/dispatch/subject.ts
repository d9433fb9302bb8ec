import type { SubjectFacts } from '../../content/copy-facts.ts';
import type { SubjectKinds } from '../../domain/subjects/index.ts';
import { readSubject, type SubjectRow } from '../subject-row.ts';

/** What a message may say of a subject, as its kind reads it. */
export function subjectFactsOf(row: SubjectRow, kinds: SubjectKinds): SubjectFacts {
  const { kind, subject } = readSubject(kinds, row);
  return { kind, details: subject.details, valueMinor: subject.valueMinor, currency: subject.currency };
}
