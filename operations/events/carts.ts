import { and, eq, inArray, isNull } from 'drizzle-orm';
import { contactIdentities, contacts, enrollments, subjects } from '../../db/schema/index.ts';
import type { DomainEvent } from '../../domain/events.ts';
import { carryStops } from './carry-stops.ts';
import type { EventContext } from './context.ts';
import { foldDetails, markSeen } from './details.ts';
import { enroll } from './enroll.ts';
import { identitiesOf, subjectsByKey } from './identities.ts';
import { createContact, mergePersons, personOf, resolveContact } from './persons.ts';
import { stopEnrollmentsAbout } from './stop-enrollments.ts';
import { createSubject, foldSubject, type Subject } from './subjects.ts';

type CartUpdated = Extract<DomainEvent, { type: 'cart.updated' }>;

/** Fold a cart by the provider's clock, find out whose it is, and begin its sequence where that is possible. */
export async function applyCartUpdated(ctx: EventContext, event: CartUpdated): Promise<void> {
  const subject = await foldSubject(ctx, event);
  const identities = identitiesOf(ctx.source, event.person);
  const named = await resolveContact(ctx, identities);
  const contactId = await settleOwner(ctx, subject, named);
  if (named !== null) await foldDetails(ctx, named.contactId, event.person, event.occurredAtMs);
  await markSeen(ctx, await personOf(ctx, contactId), event.occurredAtMs);
  if (subject.state !== 'open') return;
  if (subject.items.length === 0 && subject.totalMinor === 0) {
    // The shopper emptied the cart: there is nothing to bring back.
    await stopEnrollmentsAbout(ctx, subject.id, 'expired');
    return;
  }
  await enroll(ctx, { ...subject, contactId });
}

/** The checkout is gone: its link no longer restores anything. */
export async function applyCartDeleted(ctx: EventContext, event: Extract<DomainEvent, { type: 'cart.deleted' }>): Promise<void> {
  const found = await subjectsByKey(ctx.tx, ctx.source, event.keys);
  if (found.length === 0) {
    await createSubject(ctx, event.keys, { state: 'gone', startedAt: event.occurredAtMs, lastActivityAt: event.occurredAtMs });
    return;
  }
  const ids = found.map((s) => s.id);
  await ctx.tx
    .update(subjects)
    .set({ state: 'gone' })
    .where(and(inArray(subjects.id, ids), eq(subjects.state, 'open')));
  for (const id of ids) await stopEnrollmentsAbout(ctx, id, 'expired');
}

/**
 * Whose cart it is now. A cart without address belongs to an anonymous contact; when an address arrives, cart and enrollment move.
 * @param named - the contact that the event's address names; null: the event carries none
 */
async function settleOwner(ctx: EventContext, subject: Subject, named: { contactId: string; personId: string } | null): Promise<string> {
  if (named === null) {
    if (subject.contactId !== null) return subject.contactId;
    const anonymous = await createContact(ctx, []);
    await ctx.tx.update(subjects).set({ contactId: anonymous.contactId }).where(eq(subjects.id, subject.id));
    return anonymous.contactId;
  }
  if (subject.contactId === named.contactId) return named.contactId;
  const oldPersonId = subject.contactId === null ? null : await personOf(ctx, subject.contactId);
  await ctx.tx.update(subjects).set({ contactId: named.contactId }).where(eq(subjects.id, subject.id));
  if (oldPersonId === null || oldPersonId === named.personId) return named.contactId;
  await ctx.tx
    .update(enrollments)
    .set({ contactId: named.contactId })
    .where(and(eq(enrollments.subjectId, subject.id), isNull(enrollments.endedAt)));
  // The nameless visitor was this person all along.
  if (await isAnonymous(ctx, oldPersonId)) await mergePersons(ctx, [named.personId, oldPersonId]);
  else await carryStops(ctx, named.personId);
  return named.contactId;
}

async function isAnonymous(ctx: EventContext, personId: string): Promise<boolean> {
  const rows = await ctx.tx
    .select({ id: contactIdentities.id })
    .from(contactIdentities)
    .innerJoin(contacts, and(eq(contacts.tenantId, contactIdentities.tenantId), eq(contacts.id, contactIdentities.contactId)))
    .where(eq(contacts.personId, personId))
    .limit(1);
  return rows.length === 0;
}
