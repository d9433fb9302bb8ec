import { and, eq, isNotNull, isNull, notInArray, or, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import {
  contactIdentities,
  contacts,
  enrollmentEvents,
  enrollments,
  outbox,
  sequences,
  sequenceVersions,
  type subjects,
} from '../../db/schema/index.ts';
import { channels } from '../../domain/channels.ts';
import { baseSegment, segmentModifiers, sequenceType } from '../../domain/people/segments.ts';
import { compilePlan } from '../../domain/sequence/compile-plan.ts';
import type { StopReason } from '../../domain/sequence/plan.ts';
import type { EventContext } from './context.ts';
import { personOf } from './persons.ts';
import { suppressedEverywhere } from './suppressions.ts';

type Candidate = typeof subjects.$inferSelect & { contactId: string };

/**
 * Begin every active sequence that a cart triggers and that may begin. Guards are silent (S1-24): a cart that may not start is not an
 * error. The first dispatch checks all of it again under the lock.
 */
export async function enroll(ctx: EventContext, subject: Candidate): Promise<void> {
  const active = await ctx.tx
    .select({ sequenceId: sequences.id, versionId: sequenceVersions.id, version: sequenceVersions.version, definition: sequenceVersions.definition })
    .from(sequences)
    .innerJoin(sequenceVersions, and(eq(sequenceVersions.tenantId, sequences.tenantId), eq(sequenceVersions.id, sequences.currentVersionId)))
    .where(and(eq(sequences.status, 'ACTIVE'), eq(sequences.paused, false), sql`${sequenceVersions.definition} ->> 'on' = 'cart.abandoned'`));
  for (const candidate of active) {
    if (await mayNotBegin(ctx, subject, candidate.sequenceId)) continue;
    const plan = compilePlan(candidate.definition, candidate.version, ctx.tenant.timeScale);
    if (ctx.nowMs > subject.lastActivityAt + plan.maxAgeMs) continue;
    const wanted = plan.steps.flatMap((s) => s.channels);
    if (!(await reachable(ctx, subject.contactId, wanted))) continue;
    await begin(ctx, subject, candidate, plan.timeScale);
  }
}

// Ended before activation for a reason that may pass: the cart was emptied or its checkout gone, or another run of it went on instead.
const passingEnds: StopReason[] = ['not_abandoned', 'expired', 'merged'];

/** Once per cart (requirements, section 3, re-entry), and never after an order or for somebody who must not be contacted. */
async function mayNotBegin(ctx: EventContext, subject: Candidate, sequenceId: string): Promise<boolean> {
  const [before] = await ctx.tx
    .select({ id: enrollments.id })
    .from(enrollments)
    .where(
      and(
        eq(enrollments.subjectId, subject.id),
        eq(enrollments.sequenceId, sequenceId),
        or(
          isNull(enrollments.endedAt),
          isNotNull(enrollments.activatedAt),
          isNull(enrollments.stopReason),
          notInArray(enrollments.stopReason, passingEnds),
        ),
      ),
    )
    .limit(1);
  if (before !== undefined) return true;
  const personId = await personOf(ctx, subject.contactId);
  const [person] = await ctx.tx.select().from(contacts).where(eq(contacts.id, personId));
  if (person === undefined || person.lifecycle === 'DO_NOT_CONTACT' || person.lifecycle === 'REJECTED') return true;
  // The order may have arrived before this older cart event.
  if (person.lastOrderAt !== null && person.lastOrderAt >= subject.lastActivityAt) return true;
  return suppressedEverywhere(ctx, personId);
}

/** A cart starts no workflow until a channel of its steps could reach the person (rule 10). */
async function reachable(ctx: EventContext, contactId: string, wanted: (keyof typeof channels)[]): Promise<boolean> {
  const kinds = [...new Set(wanted.flatMap((c) => channels[c].address ?? []))];
  const rows = await ctx.tx
    .select({ kind: contactIdentities.kind })
    .from(contactIdentities)
    .innerJoin(contacts, and(eq(contacts.tenantId, contactIdentities.tenantId), eq(contacts.id, contactIdentities.contactId)))
    .where(sql`${contacts.personId} = (select c.person_id from contacts c where c.id = ${contactId})`);
  return rows.some((r) => kinds.some((k) => k === r.kind));
}

async function begin(
  ctx: EventContext,
  subject: Candidate,
  candidate: { sequenceId: string; versionId: string; version: number },
  timeScale: number,
): Promise<void> {
  const { tenantId } = ctx.source;
  const { settings } = ctx.tenant;
  const [person] = await ctx.tx
    .select({ orderCount: contacts.orderCount, lifetimeValueMinor: contacts.lifetimeValueMinor })
    .from(contacts)
    .where(eq(contacts.id, subject.contactId));
  const segment = baseSegment(person ?? null, settings);
  const id = uuidv7();
  const made = await ctx.tx
    .insert(enrollments)
    .values({
      tenantId,
      id,
      sequenceId: candidate.sequenceId,
      versionId: candidate.versionId,
      contactId: subject.contactId,
      subjectId: subject.id,
      sequenceType: sequenceType(segment, segmentModifiers(subject.items, settings)),
      cartValueMinor: subject.totalMinor,
      currency: subject.currency,
      timeScale,
      anchorAt: subject.lastActivityAt,
    })
    .onConflictDoNothing()
    .returning({ id: enrollments.id });
  if (made.length === 0) return;
  await ctx.tx
    .update(contacts)
    .set({ lifecycle: 'IN_PROGRESS' })
    .where(and(eq(contacts.id, subject.contactId), eq(contacts.lifecycle, 'NEW')));
  await ctx.tx.insert(enrollmentEvents).values({
    tenantId,
    id: uuidv7(),
    enrollmentId: id,
    type: 'enrolled',
    inboxId: ctx.inboxId,
    data: { version: candidate.version, value_minor: subject.totalMinor, currency: subject.currency, items: subject.items.length, segment },
  });
  await ctx.tx.insert(outbox).values({ tenantId, enrollmentId: id, kind: 'start' });
  ctx.outboxWritten = true;
}

/** The sequences with an open enrollment about a subject; used by the story of later events. */
export function openEnrollmentOf(ctx: EventContext, subjectId: string) {
  return ctx.tx
    .select({ id: enrollments.id })
    .from(enrollments)
    .where(and(eq(enrollments.subjectId, subjectId), isNull(enrollments.endedAt)));
}
