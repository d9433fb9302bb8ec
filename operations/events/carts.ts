import { and, eq, inArray, isNull } from 'drizzle-orm';
import { callFunction } from '../../db/client.ts';
import { contactIdentities, contacts, enrollments, subjects } from '../../db/schema/index.ts';
import type { DomainEvent } from '../../domain/events.ts';
import { chooseContact, type ChosenContact } from '../../domain/people/choose-contact.ts';
import { carryStops } from './carry-stops.ts';
import { type CartWorld, parseCartWorld, type StoredCartWorld } from './cart-world.ts';
import type { EventContext } from './context.ts';
import { decideCart, ownerOf } from './decide-cart.ts';
import type { ActiveSequence } from './enroll.ts';
import { identitiesOf, type Identity, keysOf, namedBy, subjectsByKey } from './identities.ts';
import type { KnownContact } from './known-people.ts';
import { findNamed, type Found, usableOf } from './lock-named.ts';
import { mergePersons, personOf, resolveContact } from './persons.ts';
import { stopEnrollmentsAbout } from './stop-enrollments.ts';
import { createSubject, findSubject, type Subject } from './subjects.ts';
import { supersedeOlder } from './supersede.ts';
import { liftByRecord, personalHashes, suppressedEverywhere } from './suppressions.ts';
import { writeCart } from './write-cart.ts';

type CartUpdated = Extract<DomainEvent, { type: 'cart.updated' }>;

/**
 * Fold a cart by the provider's clock, find out whose it is, and begin its sequence where that is possible.
 * Carts or persons that become one, and carts that change hands, are settled first, statement by statement; what is left is the same
 * for every cart: one look at the world, one decision, one write.
 */
export async function applyCartUpdated(ctx: EventContext, event: CartUpdated): Promise<void> {
  const identities = usableOf(ctx.found, identitiesOf(ctx.source, event.person));
  let world = ctx.world?.kind === 'cart' ? ctx.world : await readWorld(ctx, ctx.found, identities);
  if (isEchoOfBought(world, event)) return;
  let chosen = chooseContact(identities, world.identities);
  if (!isSettled(world, identities, chosen) || liftsRecord(world, event)) {
    await settleWhose(ctx, event, identities);
    ctx.found = await findNamed(ctx.tx, { ...namedBy(ctx.source, event), stops: false });
    world = await readWorld(ctx, ctx.found, identities);
    chosen = chooseContact(identities, world.identities);
  }
  const writes = decideCart(event, {
    identities,
    keys: keysOf(ctx.source, event.keys),
    world,
    chosen,
    suppressed: await isSuppressed(ctx, world, identities, ownerOf({ identities, world, chosen })?.person ?? null),
    active: await currentVersions(ctx, world),
    tenant: ctx.tenant,
    nowMs: ctx.nowMs,
  });
  if (writes === null) return;
  if (writes.emptied) await stopEnrollmentsAbout(ctx, writes.subject.id, 'emptied');
  writeCart(ctx, writes);
}

/** Read the world anew: the event before this one, in the same delivery, or a merge may have changed it. */
async function readWorld(ctx: EventContext, found: Found, identities: Identity[]): Promise<CartWorld> {
  const hashes = personalHashes(ctx, identities);
  const persons = [...found.named, ...found.near];
  return parseCartWorld(await callFunction<StoredCartWorld>(ctx.tx, 'read_cart_2($1, $2, $3)', [persons, found.subjects, hashes]));
}

/** One cart at most, one person at most who has all these identities, and a cart that is this person's already or nobody's. */
function isSettled(world: CartWorld, identities: Identity[], chosen: ChosenContact | null): boolean {
  const [cart, another] = world.subjects;
  if (another !== undefined) return false;
  if (chosen !== null && (chosen.together.length > 1 || chosen.missing.length > 0)) return false;
  if (identities.length === 0 || cart === undefined || cart.contactId === null) return true;
  return chosen !== null && world.contacts.some((c) => c.id === cart.contactId && c.personId === chosen.personId);
}

/** Carts become one, persons become one, the cart moves to whom the event names; each may carry a stop along. */
async function settleWhose(ctx: EventContext, event: CartUpdated, identities: Identity[]): Promise<void> {
  const subject = await findSubject(ctx, event, identities);
  const named = await resolveContact(ctx, identities);
  if (named === null) return;
  await liftByRecord(ctx, named.personId, event.person.consents);
  // A cart that was bought stays whose it was: what comes under its key now may be somebody else's.
  if (subject !== null && subject.state !== 'converted') await moveTo(ctx, subject, named);
}

/** The event is older than the purchase of the cart that had this key before. */
function isEchoOfBought({ subjects: [cart] }: CartWorld, event: CartUpdated): boolean {
  return cart !== undefined && cart.previousBoughtAt !== null && event.occurredAtMs <= cart.previousBoughtAt;
}

/** The shop's record says yes to somebody who is closed: it may be the shop's own no that it takes back. */
function liftsRecord(world: CartWorld, event: CartUpdated): boolean {
  return world.suppressed.length > 0 && event.person.consents.some((c) => c.basis === 'record' && c.state === 'granted');
}

/** Whether all marketing to the person is closed. The world tells it of the event's own identities; about others the list is asked. */
async function isSuppressed(ctx: EventContext, world: CartWorld, identities: Identity[], person: KnownContact | null): Promise<boolean> {
  if (world.suppressed.length > 0) return true;
  if (person === null) return false;
  const others = world.identities.some((h) => h.personId === person.personId && !identities.some((i) => i.kind === h.kind && i.value === h.value));
  return others && suppressedEverywhere(ctx, person.id);
}

function currentVersions(ctx: EventContext, world: CartWorld): Promise<ActiveSequence[]> {
  return Promise.all(world.sequences.map(async ({ id, versionId }) => ({ id, versionId, version: await ctx.deps.versions.load(ctx.tx, versionId) })));
}

/** The checkout is gone: its link no longer restores anything. */
export async function applyCartDeleted(ctx: EventContext, event: Extract<DomainEvent, { type: 'cart.deleted' }>): Promise<void> {
  const keys = keysOf(ctx.source, event.keys);
  const found = await subjectsByKey(ctx.tx, keys);
  if (found.length === 0) {
    await createSubject(ctx, keys, { state: 'gone', startedAt: event.occurredAtMs, lastActivityAt: event.occurredAtMs });
    return;
  }
  const ids = found.map((s) => s.id);
  await ctx.tx
    .update(subjects)
    .set({ state: 'gone' })
    .where(and(inArray(subjects.id, ids), eq(subjects.state, 'open')));
  for (const id of ids) await stopEnrollmentsAbout(ctx, id, 'cart_deleted');
}

/** The cart is this contact's from now on. When an address arrives, cart and enrollment move. */
async function moveTo(ctx: EventContext, subject: Subject, named: { contactId: string; personId: string }): Promise<void> {
  if (subject.contactId === named.contactId) return;
  const oldPersonId = subject.contactId === null ? null : await personOf(ctx, subject.contactId);
  await ctx.tx.update(subjects).set({ contactId: named.contactId }).where(eq(subjects.id, subject.id));
  if (oldPersonId === null || oldPersonId === named.personId) return;
  await ctx.tx
    .update(enrollments)
    .set({ contactId: named.contactId })
    .where(and(eq(enrollments.subjectId, subject.id), isNull(enrollments.endedAt)));
  await supersedeOlder(ctx, named.personId);
  // The nameless visitor was this person all along.
  if (await isAnonymous(ctx, oldPersonId)) await mergePersons(ctx, [named.personId, oldPersonId]);
  else await carryStops(ctx, named.personId);
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
