import type { SubjectFacts } from '../../content/copy-facts.ts';
import type { subjects } from '../../db/schema/index.ts';
import type { SubjectKinds } from '../../domain/subjects/index.ts';

/**
 * What is known of a subject, as its kind reads it. As `details_of_subject` and `value_of_subject` do in SQL: a row that nobody has written
 * since the general columns exist is a cart in the old ones.
 */
export function subjectFactsOf(row: typeof subjects.$inferSelect, kinds: SubjectKinds): SubjectFacts {
  const kind = kinds.of(row.kind);
  const { items, restoreUrl, origin, bought } = row;
  const details = kind.details.parse(row.details ?? { items, restoreUrl, origin, bought });
  return { kind, details, valueMinor: row.valueMinor ?? row.totalMinor, currency: row.currency };
}
