import { and, eq, inArray, isNull, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { contacts, enrollmentEvents, enrollments, outbox } from '../../db/schema/index.ts';
import { statusOf } from '../../domain/sequence/ending.ts';
import type { StopReason } from '../../domain/sequence/plan.ts';
import type { EventContext } from './context.ts';

/**
 * Write the end on enrollments that are still open, tell their story and leave word for Temporal. The caller holds the persons' locks,
 * so from this commit on no dispatch of theirs can claim.
 * @returns the ids that were ended by this call
 */
export async function stopEnrollments(
  ctx: Pick<EventContext, 'tx' | 'source' | 'inboxId'> & { outboxWritten: boolean },
  enrollmentIds: string[],
  reason: StopReason,
  { note = null, data = {} }: { note?: string | null; data?: Record<string, unknown> } = {},
): Promise<string[]> {
  if (enrollmentIds.length === 0) return [];
  const ended = await ctx.tx
    .update(enrollments)
    .set({ status: statusOf(reason), stopReason: reason, stopNote: note, endedAt: sql`clock_timestamp()` })
    .where(and(inArray(enrollments.id, enrollmentIds), isNull(enrollments.endedAt)))
    .returning({ id: enrollments.id });
  if (ended.length === 0) return [];
  const { tenantId } = ctx.source;
  await ctx.tx
    .insert(enrollmentEvents)
    .values(ended.map(({ id }) => ({ tenantId, id: uuidv7(), enrollmentId: id, type: 'stopped', inboxId: ctx.inboxId, data: { ...data, reason } })));
  await ctx.tx.insert(outbox).values(ended.map(({ id }) => ({ tenantId, enrollmentId: id, kind: 'stop' as const })));
  ctx.outboxWritten = true;
  return ended.map((e) => e.id);
}

/** Every contact of these persons: their calls are the ones a stop waits for. */
export async function coverPersons(ctx: EventContext, personIds: string[]): Promise<void> {
  if (personIds.length === 0) return;
  const rows = await ctx.tx.select({ id: contacts.id }).from(contacts).where(inArray(contacts.personId, personIds));
  for (const row of rows) ctx.covered.add(row.id);
}

/** Open enrollments of these persons with what a stop must know about them. */
export function openEnrollmentsOf(ctx: EventContext, personIds: string[]) {
  return ctx.tx
    .select({
      id: enrollments.id,
      subjectId: enrollments.subjectId,
      activatedAt: enrollments.activatedAt,
      anchorAt: enrollments.anchorAt,
      startedAt: sql<number>`(select extract(epoch from s.started_at) * 1000 from subjects s where s.id = ${enrollments.subjectId})::double precision`,
      stopOn: sql<string[]>`(select v.definition -> 'stopOn' from sequence_versions v where v.id = ${enrollments.versionId})`,
    })
    .from(enrollments)
    .innerJoin(contacts, and(eq(contacts.tenantId, enrollments.tenantId), eq(contacts.id, enrollments.contactId)))
    .where(and(inArray(contacts.personId, personIds), isNull(enrollments.endedAt)));
}

/** End what runs about a subject; a cart that was bought before activation had not been abandoned (rule 3). */
export async function stopEnrollmentsAbout(
  ctx: EventContext,
  subjectId: string,
  reason: 'purchased' | 'order_void' | 'emptied' | 'cart_deleted',
): Promise<void> {
  const open = await ctx.tx
    .select({ id: enrollments.id, activatedAt: enrollments.activatedAt, personId: contacts.personId })
    .from(enrollments)
    .innerJoin(contacts, and(eq(contacts.tenantId, enrollments.tenantId), eq(contacts.id, enrollments.contactId)))
    .where(and(eq(enrollments.subjectId, subjectId), isNull(enrollments.endedAt)));
  for (const e of open) {
    await stopEnrollments(ctx, [e.id], reason === 'purchased' && e.activatedAt === null ? 'not_abandoned' : reason);
    await coverPersons(ctx, [e.personId]);
  }
}
