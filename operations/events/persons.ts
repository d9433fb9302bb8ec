import { and, asc, eq, inArray } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { contactIdentities, contacts } from '../../db/schema/index.ts';
import { chooseContact, type HeldIdentity } from '../../domain/people/choose-contact.ts';
import { carryStops } from './carry-stops.ts';
import type { EventContext } from './context.ts';
import { supersedeOlder } from './supersede.ts';
import { contactsByIdentity, type Identity } from './identities.ts';

/** Every identity of every person that has any of these, in order of the contacts' age. */
async function heldIdentities(ctx: EventContext, identities: Identity[]): Promise<HeldIdentity[]> {
  const found = await contactsByIdentity(ctx.tx, identities);
  if (found.length === 0) return [];
  return ctx.tx
    .select({ contactId: contacts.id, personId: contacts.personId, kind: contactIdentities.kind, value: contactIdentities.value })
    .from(contactIdentities)
    .innerJoin(contacts, and(eq(contacts.tenantId, contactIdentities.tenantId), eq(contacts.id, contactIdentities.contactId)))
    .where(inArray(contacts.personId, [...new Set(found.map((f) => f.personId))]))
    .orderBy(asc(contacts.id));
}

/**
 * The contact that these identities name: found, extended by the identities it lacked, merged with every other person that shares an
 * address unless verified ids differ, or made new. The persons' rows are locked by the caller.
 * @returns the contact and its person; null when no identity is given
 */
export async function resolveContact(ctx: EventContext, identities: Identity[]): Promise<{ contactId: string; personId: string } | null> {
  if (identities.length === 0) return null;
  const chosen = chooseContact(identities, await heldIdentities(ctx, identities));
  if (chosen === null) return createContact(ctx, identities);
  const { together, missing } = chosen;
  await addIdentities(ctx, chosen.contactId, missing);
  const personId = together.length > 1 ? await mergePersons(ctx, together) : chosen.personId;
  // A new address may be one that must not be written to: what was said about it reaches the whole person.
  if (missing.length > 0) await carryStops(ctx, personId);
  return { contactId: chosen.contactId, personId };
}

async function createContact(ctx: EventContext, identities: Identity[]): Promise<{ contactId: string; personId: string }> {
  const id = uuidv7();
  await ctx.tx.insert(contacts).values({ tenantId: ctx.source.tenantId, id, personId: id });
  await addIdentities(ctx, id, identities);
  ctx.found = { ...ctx.found, reached: [...ctx.found.reached, id] };
  return { contactId: id, personId: id };
}

async function addIdentities(ctx: EventContext, contactId: string, identities: Identity[]): Promise<void> {
  if (identities.length === 0) return;
  const { tenantId } = ctx.source;
  await ctx.tx
    .insert(contactIdentities)
    .values(identities.map((i) => ({ tenantId, id: uuidv7(), contactId, kind: i.kind, value: i.value })))
    .onConflictDoNothing();
}

/**
 * Make one person of several: the oldest stands for all. A merge after which a stop covers further enrollments is itself a stop.
 * @param personIds - persons whose rows are locked
 */
export async function mergePersons(ctx: EventContext, personIds: string[]): Promise<string> {
  const [root, ...others] = [...new Set(personIds)].sort();
  if (root === undefined) throw new TypeError('a merge needs persons');
  if (others.length === 0) return root;
  const all = await ctx.tx
    .select()
    .from(contacts)
    .where(inArray(contacts.id, [root, ...others]));
  const latest = (pick: (c: (typeof all)[number]) => number | null) =>
    all.reduce<number | null>((max, c) => ((pick(c) ?? 0) > (max ?? 0) ? pick(c) : max), null);
  await ctx.tx
    .update(contacts)
    .set({
      lastOrderAt: latest((c) => c.lastOrderAt),
      lastReplyAt: latest((c) => c.lastReplyAt),
      lastSeenAt: latest((c) => c.lastSeenAt),
      ...(all.some((c) => c.lifecycle === 'DO_NOT_CONTACT') ? { lifecycle: 'DO_NOT_CONTACT' as const } : {}),
    })
    .where(eq(contacts.id, root));
  await ctx.tx.update(contacts).set({ personId: root }).where(inArray(contacts.personId, others));
  await carryStops(ctx, root);
  await supersedeOlder(ctx, root);
  return root;
}

/** The person whom a contact belongs to. */
export async function personOf(ctx: Pick<EventContext, 'tx'>, contactId: string): Promise<string> {
  const [row] = await ctx.tx.select({ personId: contacts.personId }).from(contacts).where(eq(contacts.id, contactId));
  if (row === undefined) throw new Error('a contact vanished under its lock');
  return row.personId;
}
