import { and, eq, inArray, isNull, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { contactIdentities, contacts, enrollments, subjectKeys, subjects } from '../../db/schema/index.ts';
import type { DomainEvent, SubjectKey } from '../../domain/events.ts';
import type { EventContext } from './context.ts';
import { enroll } from './enroll.ts';
import { identitiesOf, subjectsByKey } from './identities.ts';
import { createContact, foldDetails, markSeen, mergePersons, personOf, resolveContact } from './persons.ts';
import { coverPersons, stopEnrollments } from './stop-enrollments.ts';

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
    await stopOpenEnrollments(ctx, subject.id);
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
  await ctx.tx.update(subjects).set({ state: 'gone' }).where(and(inArray(subjects.id, ids), eq(subjects.state, 'open')));
  for (const id of ids) await stopOpenEnrollments(ctx, id);
}

type Subject = typeof subjects.$inferSelect;

async function foldSubject(ctx: EventContext, event: CartUpdated): Promise<Subject> {
  const found = await subjectsByKey(ctx.tx, ctx.source, event.keys);
  const first = found[0];
  const content = {
    // An emptied cart has no price and so no currency of its own.
    ...(event.cart.currency === 'XXX' ? {} : { currency: event.cart.currency }),
    totalMinor: event.cart.totalMinor,
    items: event.cart.items,
  };
  if (first === undefined) {
    return createSubject(ctx, event.keys, {
      ...content,
      restoreUrl: event.cart.restoreUrl,
      startedAt: event.cart.createdAtMs,
      lastActivityAt: event.occurredAtMs,
    });
  }
  // One cart may be heard of under two names before an event says that they are one.
  const keptId = found.length > 1 ? await uniteSubjects(ctx, found.map((s) => s.id)) : first.id;
  await addKeys(ctx, keptId, event.keys);
  const [old] = await ctx.tx.select().from(subjects).where(eq(subjects.id, keptId));
  if (old === undefined) throw new Error('a subject vanished under its lock');
  const newer = event.occurredAtMs >= old.lastActivityAt;
  const known = old.items.length > 0 || old.totalMinor > 0;
  const [folded] = await ctx.tx
    .update(subjects)
    .set({
      ...(newer || !known ? content : {}),
      // A link once known stays: carts/update never carries one.
      restoreUrl: newer ? (event.cart.restoreUrl ?? old.restoreUrl) : (old.restoreUrl ?? event.cart.restoreUrl),
      startedAt: Math.min(old.startedAt, event.cart.createdAtMs),
      lastActivityAt: Math.max(old.lastActivityAt, event.occurredAtMs),
    })
    .where(eq(subjects.id, keptId))
    .returning();
  if (folded === undefined) throw new Error('a subject vanished under its lock');
  return folded;
}

export async function createSubject(
  ctx: EventContext,
  keys: SubjectKey[],
  fields: Pick<typeof subjects.$inferInsert, 'startedAt' | 'lastActivityAt'> & Partial<typeof subjects.$inferInsert>,
): Promise<Subject> {
  const [made] = await ctx.tx
    .insert(subjects)
    .values({ ...fields, tenantId: ctx.source.tenantId, id: uuidv7() })
    .returning();
  if (made === undefined) throw new Error('insert returned nothing');
  await addKeys(ctx, made.id, keys);
  return made;
}

async function addKeys(ctx: EventContext, subjectId: string, keys: SubjectKey[]): Promise<void> {
  if (keys.length === 0) return;
  const { tenantId, connectionId } = ctx.source;
  await ctx.tx
    .insert(subjectKeys)
    .values(keys.map((k) => ({ tenantId, id: uuidv7(), subjectId, connectionId, kind: k.kind, value: k.value })))
    .onConflictDoNothing();
}

/** Two subjects turned out to be one cart. The one that a sequence runs about stays, else the older; a second sequence ends. */
async function uniteSubjects(ctx: EventContext, ids: string[]): Promise<string> {
  const open = await ctx.tx
    .select({ id: enrollments.id, subjectId: enrollments.subjectId })
    .from(enrollments)
    .where(and(inArray(enrollments.subjectId, ids), isNull(enrollments.endedAt)))
    .orderBy(enrollments.id);
  const kept = open[0]?.subjectId ?? [...ids].sort()[0];
  if (kept === undefined) throw new TypeError('nothing to unite');
  const others = ids.filter((id) => id !== kept);
  const all = await ctx.tx.select().from(subjects).where(inArray(subjects.id, ids)).orderBy(sql`last_activity_at desc`);
  const newest = all[0];
  await ctx.tx.update(subjectKeys).set({ subjectId: kept }).where(inArray(subjectKeys.subjectId, others));
  await stopEnrollments(
    ctx,
    open.filter((e) => e.subjectId !== kept).map((e) => e.id),
    'merged',
  );
  const converted = all.some((s) => s.state === 'converted');
  await ctx.tx
    .update(subjects)
    .set({
      ...(newest === undefined ? {} : { items: newest.items, totalMinor: newest.totalMinor, currency: newest.currency, lastActivityAt: newest.lastActivityAt }),
      restoreUrl: all.find((s) => s.restoreUrl !== null)?.restoreUrl ?? null,
      contactId: all.find((s) => s.id === kept)?.contactId ?? all.find((s) => s.contactId !== null)?.contactId ?? null,
      ...(converted ? { state: 'converted' as const } : {}),
    })
    .where(eq(subjects.id, kept));
  await ctx.tx.update(subjects).set({ state: 'gone' }).where(inArray(subjects.id, others));
  if (converted) await stopOpenEnrollments(ctx, kept, 'purchased');
  return kept;
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

async function stopOpenEnrollments(ctx: EventContext, subjectId: string, reason?: 'purchased'): Promise<void> {
  const open = await ctx.tx
    .select({ id: enrollments.id, activatedAt: enrollments.activatedAt, personId: contacts.personId })
    .from(enrollments)
    .innerJoin(contacts, and(eq(contacts.tenantId, enrollments.tenantId), eq(contacts.id, enrollments.contactId)))
    .where(and(eq(enrollments.subjectId, subjectId), isNull(enrollments.endedAt)));
  for (const e of open) {
    await stopEnrollments(ctx, [e.id], e.activatedAt === null ? 'not_abandoned' : (reason ?? 'expired'));
    await coverPersons(ctx, [e.personId]);
  }
}
