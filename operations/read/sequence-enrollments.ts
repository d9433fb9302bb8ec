import { and, eq, sql } from 'drizzle-orm';
import { enrollments, sequences } from '../../db/schema/index.ts';
import type { EnrollmentStatus } from '../../domain/sequence/plan.ts';
import { attemptsOf, type AttemptView } from './attempts.ts';
import { type EnrollmentView, loadEnrollments, type ReadDeps } from './enrollment.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted, readList } from './page.ts';

/** An enrollment with what its steps came to. */
export interface EnrollmentWithAttempts {
  view: EnrollmentView;
  /** The oldest first, without what is only scheduled. */
  attempts: AttemptView[];
}

/** The enrollments of a sequence, the newest first. @returns null where the tenant has no such sequence */
export function enrollmentsOfSequence(
  deps: ReadDeps,
  { tenantId, slug }: { tenantId: string; slug: string },
  { status, reason, ...page }: PageWanted & { status: EnrollmentStatus | null; reason: string | null },
): Promise<Page<EnrollmentWithAttempts> | null> {
  return readList(deps, tenantId, async (tx) => {
    const [sequence] = await tx.select({ id: sequences.id }).from(sequences).where(eq(sequences.slug, slug));
    if (sequence === undefined) return null;
    const rows = await tx
      .select({ id: enrollments.id })
      .from(enrollments)
      .where(
        and(
          eq(enrollments.sequenceId, sequence.id),
          status === null ? undefined : eq(enrollments.status, status),
          reason === null ? undefined : sql`${enrollments.stopReason} = ${reason}`,
          beyond(enrollments.id, 'newest', page),
        ),
      )
      .orderBy(byAge(enrollments.id, 'newest', page))
      .limit(page.limit + 1);
    const { items, next } = pageOf(rows, page.limit, ({ id }) => id);
    const ids = items.map(({ id }) => id);
    const views = await loadEnrollments(tx, deps, ids);
    const made = await attemptsOf(tx, ids, deps.clock.nowMs());
    const executed = made.filter(({ id, status: came }) => id !== null && (came === 'SUCCESS' || came === 'FAILED'));
    return { items: views.map((view) => ({ view, attempts: executed.filter(({ enrollmentId }) => enrollmentId === view.row.id) })), next };
  });
}
