import { and, eq, isNull, sql } from 'drizzle-orm';
import { contacts, enrollments, subjects } from '../../db/schema/index.ts';
import type { EventContext } from './context.ts';
import { stopEnrollments } from './stop-enrollments.ts';

/**
 * Two conversations of one sequence came together in one person, by a merge or because a cart changed hands: the one about the cart that
 * was active last goes on.
 * @param personId - the person, whose row is locked
 * Source: docs/rules.md#rule-17
 */
export async function supersedeOlder(ctx: EventContext, personId: string): Promise<void> {
  const open = await ctx.tx
    .select({ id: enrollments.id, sequenceId: enrollments.sequenceId })
    .from(enrollments)
    .innerJoin(contacts, and(eq(contacts.tenantId, enrollments.tenantId), eq(contacts.id, enrollments.contactId)))
    .innerJoin(subjects, and(eq(subjects.tenantId, enrollments.tenantId), eq(subjects.id, enrollments.subjectId)))
    .where(
      and(
        eq(contacts.personId, personId),
        isNull(enrollments.endedAt),
        sql`(select v.definition ->> 'together' from sequence_versions v where v.tenant_id = ${enrollments.tenantId} and v.id = ${enrollments.versionId}) is distinct from 'many'`,
      ),
    )
    .orderBy(sql`${subjects.lastActivityAt} desc`, sql`${enrollments.id} desc`);
  const goingOn = new Map<string, string>();
  for (const run of open) {
    const newer = goingOn.get(run.sequenceId);
    if (newer === undefined) goingOn.set(run.sequenceId, run.id);
    else await stopEnrollments(ctx, [run.id], 'superseded', { data: { by_enrollment: newer } });
  }
}
