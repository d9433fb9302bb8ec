import type { enrollments, subjects } from '../db/schema/index.ts';
import { cart } from '../domain/subjects/cart/index.ts';
import { detailsOfOldColumns } from '../domain/subjects/cart/old-columns.ts';
import type { AnySubjectKind, SubjectKinds } from '../domain/subjects/index.ts';
import type { Subject } from '../domain/subjects/kind.ts';

export type SubjectRow = typeof subjects.$inferSelect;

/** A subject with its kind, whose functions take its details. */
export interface KindOfSubject {
  kind: AnySubjectKind;
  subject: Subject<unknown>;
}

/**
 * A stored subject, whichever build wrote it: a row without `details` is a cart in the columns of earlier builds.
 * @throws RangeError or ZodError when this build does not know its kind or cannot read its details
 */
export function readSubject(kinds: SubjectKinds, row: SubjectRow): KindOfSubject {
  const before = readBefore.get(row);
  if (before?.kinds === kinds) return before.read;
  const read = readRow(kinds, row);
  readBefore.set(row, { kinds, read });
  return read;
}

/** A row is never changed in place; a backtest asks about the same one again and again. */
const readBefore = new WeakMap<SubjectRow, { kinds: SubjectKinds; read: KindOfSubject }>();

function readRow(kinds: SubjectKinds, row: SubjectRow): KindOfSubject {
  const kind = kinds.of(row.kind);
  const stored = row.details ?? (row.kind === cart.kind ? detailsOfOldColumns(row) : {});
  const { state, currency, email, emailAt, phone, phoneAt, startedAt, lastActivityAt } = row;
  const valueMinor = row.valueMinor ?? row.totalMinor;
  return {
    kind,
    subject: { state, currency, valueMinor, details: kind.details.parse(stored), email, emailAt, phone, phoneAt, startedAt, lastActivityAt },
  };
}

type EnrollmentRow = Pick<typeof enrollments.$inferSelect, 'subjectKind' | 'segment' | 'sequenceType' | 'valueMinor' | 'cartValueMinor'>;

/** The same of an enrollment: its kind of subject, its segment, and what the subject was worth. */
export const kindOf = ({ subjectKind }: Pick<EnrollmentRow, 'subjectKind'>): string => subjectKind ?? cart.kind;
export const segmentOf = ({ segment, sequenceType }: Pick<EnrollmentRow, 'segment' | 'sequenceType'>): string => segment ?? sequenceType;
export const valueOf = ({ valueMinor, cartValueMinor }: Pick<EnrollmentRow, 'valueMinor' | 'cartValueMinor'>): number | null =>
  valueMinor ?? cartValueMinor;
