import { and, eq, inArray, isNotNull, isNull, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { conversions, enrollmentEvents, enrollments } from '../../db/schema/index.ts';
import type { EventContext } from './context.ts';
import { stopEnrollmentsAbout } from './stop-enrollments.ts';

/**
 * A cart whose sequence runs turned out to be the one that an order is about. The sequence ends by that order, and is credited with it where
 * it had begun before.
 */
export async function endBoughtSubject(ctx: EventContext, subjectId: string): Promise<void> {
  const orders = await ctx.tx.select().from(conversions).where(eq(conversions.subjectId, subjectId));
  const [run] = await ctx.tx
    .select({ id: enrollments.id, activatedAt: enrollments.activatedAt })
    .from(enrollments)
    .where(and(eq(enrollments.subjectId, subjectId), isNull(enrollments.endedAt), isNotNull(enrollments.activatedAt)))
    .orderBy(enrollments.id);
  const isVoid = orders.length > 0 && orders.every((order) => order.noRevenue !== null);
  await stopEnrollmentsAbout(ctx, subjectId, isVoid ? 'order_void' : 'purchased');
  if (run === undefined) return;
  const credited = orders.filter((order) => order.enrollmentId === null && order.placedAt >= (run.activatedAt ?? 0));
  if (credited.length === 0) return;
  const ids = credited.map((order) => order.id);
  await ctx.tx.update(conversions).set({ enrollmentId: run.id }).where(inArray(conversions.id, ids));
  await ctx.tx.insert(enrollmentEvents).values(
    credited.map(({ id, noRevenue }) => ({
      tenantId: ctx.source.tenantId,
      id: uuidv7(),
      enrollmentId: run.id,
      type: noRevenue === null ? 'recovered' : 'order_void',
      inboxId: ctx.inboxId,
      data: sql`(select story_of_order(c) from conversions c where c.id = ${id})`,
    })),
  );
}
