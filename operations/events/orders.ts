import { and, eq, inArray, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { contacts, conversions, enrollmentEvents, enrollments, subjects } from '../../db/schema/index.ts';
import type { DomainEvent } from '../../domain/events.ts';
import { stopReasonOfOrder } from '../../domain/sequence/ending.ts';
import type { EventContext } from './context.ts';
import { applyDetails } from './details.ts';
import { identitiesOf, personsOf, subjectsByKey } from './identities.ts';
import { resolveContact } from './persons.ts';
import { coverPersons, openEnrollmentsOf, stopEnrollments } from './stop-enrollments.ts';
import { createSubject } from './subjects.ts';

type OrderPlaced = Extract<DomainEvent, { type: 'order.placed' }>;

/**
 * A purchase: the matched carts are converted for good, all cart enrollments of the person stop, the matched one as `purchased`.
 * By token always; by identity only what is older than the order (rule 11).
 */
export async function applyOrderPlaced(ctx: EventContext, event: OrderPlaced): Promise<void> {
  const buyer = await resolveContact(ctx, identitiesOf(ctx.source, event.person));
  if (buyer !== null) await applyDetails(ctx, buyer.contactId, event.person, event.occurredAtMs);
  const matched = await convertSubjects(ctx, event, buyer?.contactId ?? null);
  // `resolveContact` may have merged persons: ask again whose rows these are now.
  const owners = matched.flatMap((s) => (s.contactId === null ? [] : [s.contactId]));
  const persons = await personsOf(ctx.tx, [...ctx.found.reached, ...owners]);
  const iso = new Date(event.occurredAtMs).toISOString();
  if (persons.length > 0) {
    await ctx.tx
      .update(contacts)
      .set({ lastOrderAt: sql`greatest(last_order_at, ${iso}::timestamptz)` })
      .where(inArray(contacts.id, persons));
  }
  await coverPersons(ctx, persons);
  const matchedIds = matched.map((s) => s.id);
  const open = persons.length === 0 ? [] : await openEnrollmentsOf(ctx, persons);
  let credited: string | null = null;
  for (const e of open) {
    const isMatch = matchedIds.includes(e.subjectId);
    if (!isMatch && e.startedAt > event.occurredAtMs) continue;
    await stopEnrollments(ctx, [e.id], stopReasonOfOrder({ activated: e.activatedAt !== null, matched: isMatch }));
    if (isMatch && e.activatedAt !== null) credited = e.id;
  }
  await recordConversion(ctx, event, { contactId: buyer?.contactId ?? owners[0] ?? null, subjectId: matchedIds[0] ?? null, enrollmentId: credited });
}

async function convertSubjects(ctx: EventContext, event: OrderPlaced, contactId: string | null) {
  const found = await subjectsByKey(ctx.tx, ctx.source, event.keys);
  if (found.length === 0 && event.keys.length > 0) {
    // The order came before its cart: the converted subject waits here and absorbs whatever the cart's events say later.
    const made = await createSubject(ctx, event.keys, {
      state: 'converted',
      contactId,
      startedAt: event.occurredAtMs,
      lastActivityAt: event.occurredAtMs,
      convertedAt: event.occurredAtMs,
    });
    return [{ id: made.id, contactId }];
  }
  const ids = found.map((s) => s.id);
  if (ids.length > 0) {
    await ctx.tx
      .update(subjects)
      .set({ state: 'converted', convertedAt: sql`coalesce(converted_at, ${new Date(event.occurredAtMs).toISOString()}::timestamptz)` })
      .where(inArray(subjects.id, ids));
  }
  return found.map((s) => ({ id: s.id, contactId: s.contactId }));
}

async function recordConversion(
  ctx: EventContext,
  event: OrderPlaced,
  credit: { contactId: string | null; subjectId: string | null; enrollmentId: string | null },
): Promise<void> {
  const late = credit.enrollmentId ?? (await lateRecovery(ctx, credit.subjectId));
  const made = await ctx.tx
    .insert(conversions)
    .values({
      tenantId: ctx.source.tenantId,
      id: uuidv7(),
      connectionId: ctx.source.connectionId,
      orderId: event.order.externalId,
      contactId: credit.contactId,
      subjectId: credit.subjectId,
      enrollmentId: late,
      currency: event.order.currency,
      valueMinor: event.order.totalMinor,
      placedAt: event.occurredAtMs,
    })
    // orders/create and orders/paid speak of the same order: it is counted once, and the later event may know more.
    .onConflictDoUpdate({
      target: [conversions.tenantId, conversions.connectionId, conversions.orderId],
      set: {
        enrollmentId: sql`coalesce(conversions.enrollment_id, excluded.enrollment_id)`,
        subjectId: sql`coalesce(conversions.subject_id, excluded.subject_id)`,
        contactId: sql`coalesce(conversions.contact_id, excluded.contact_id)`,
        valueMinor: sql`excluded.value_minor`,
        currency: sql`excluded.currency`,
        placedAt: sql`least(conversions.placed_at, excluded.placed_at)`,
      },
    })
    .returning({ fresh: sql<boolean>`xmax = 0` });
  if (late !== null && made[0]?.fresh === true) {
    await ctx.tx.insert(enrollmentEvents).values({
      tenantId: ctx.source.tenantId,
      id: uuidv7(),
      enrollmentId: late,
      type: 'recovered',
      inboxId: ctx.inboxId,
      data: { value_minor: event.order.totalMinor, currency: event.order.currency },
    });
  }
}

/** A sequence that had run to its end is still credited when its own cart is bought; its status stays COMPLETED. */
async function lateRecovery(ctx: EventContext, subjectId: string | null): Promise<string | null> {
  if (subjectId === null) return null;
  const [row] = await ctx.tx
    .select({ id: enrollments.id })
    .from(enrollments)
    .where(and(eq(enrollments.subjectId, subjectId), eq(enrollments.status, 'COMPLETED')))
    .limit(1);
  return row?.id ?? null;
}

/** The order is kept and marked: what it stopped stays stopped. */
export async function applyOrderCancelled(ctx: EventContext, event: Extract<DomainEvent, { type: 'order.cancelled' }>): Promise<void> {
  await ctx.tx
    .insert(conversions)
    .values({
      tenantId: ctx.source.tenantId,
      id: uuidv7(),
      connectionId: ctx.source.connectionId,
      orderId: event.order.externalId,
      currency: 'USD',
      valueMinor: 0,
      placedAt: event.occurredAtMs,
      reversedAt: event.occurredAtMs,
    })
    .onConflictDoUpdate({
      target: [conversions.tenantId, conversions.connectionId, conversions.orderId],
      set: { reversedAt: sql`coalesce(conversions.reversed_at, excluded.reversed_at)` },
    });
  const [row] = await ctx.tx
    .select({ enrollmentId: conversions.enrollmentId })
    .from(conversions)
    .where(and(eq(conversions.connectionId, ctx.source.connectionId), eq(conversions.orderId, event.order.externalId)));
  if (row?.enrollmentId == null) return;
  await ctx.tx
    .insert(enrollmentEvents)
    .values({ tenantId: ctx.source.tenantId, id: uuidv7(), enrollmentId: row.enrollmentId, type: 'order_cancelled', inboxId: ctx.inboxId });
}
