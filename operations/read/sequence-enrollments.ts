import { and, eq, gte, type SQL, sql } from 'drizzle-orm';
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

export interface EnrollmentsWanted {
  status: EnrollmentStatus | null;
  reason: string | null;
  /** The step of the last message that went out; `-`: none did; null: whatever it is. */
  lastStep: string | null;
  /** Only those that began to count then or later, epoch milliseconds. */
  sinceMs: number | null;
}

/** As the figures of the sequence count it (`db/functions/figures_of_courses.sql`). */
const lastStepIs = (step: string): SQL => sql`coalesce((
  select m.step_id from messages m
  where m.tenant_id = ${enrollments.tenantId} and m.enrollment_id = ${enrollments.id} and m.skip_reason is distinct from 'stopped'
    and (m.state in ('sent', 'unknown') or (m.state = 'claimed' and m.live))
  order by coalesce(m.settled_at, m.claimed_at, m.created_at) desc, m.id desc limit 1), '-') = ${step}`;

/** The enrollments of a sequence, the newest first. @returns null where the tenant has no such sequence */
export function enrollmentsOfSequence(
  deps: ReadDeps,
  { tenantId, slug }: { tenantId: string; slug: string },
  { status, reason, lastStep, sinceMs, ...page }: PageWanted & EnrollmentsWanted,
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
          lastStep === null ? undefined : lastStepIs(lastStep),
          sinceMs === null ? undefined : gte(enrollments.activatedAt, sinceMs),
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
