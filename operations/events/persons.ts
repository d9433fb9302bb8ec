import { and, eq, inArray } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { contactIdentities, contacts } from '../../db/schema/index.ts';
import { carryStops } from './carry-stops.ts';
import type { EventContext } from './context.ts';
import { contactsByIdentity, type Identity } from './identities.ts';

/** A person's verified ids, by connection: different ones at the same shop are different people, whatever they share (rule 10). */
function conflict(a: Identity[], b: Identity[]): boolean {
  return a.some((x) => x.kind.startsWith('external:') && b.some((y) => y.kind === x.kind && y.value !== x.value));
}

async function identitiesOfPersons(ctx: EventContext, personIds: string[]): Promise<Map<string, Identity[]>> {
  const rows = await ctx.tx
    .select({ personId: contacts.personId, kind: contactIdentities.kind, value: contactIdentities.value })
    .from(contactIdentities)
    .innerJoin(contacts, and(eq(contacts.tenantId, contactIdentities.tenantId), eq(contacts.id, contactIdentities.contactId)))
    .where(inArray(contacts.personId, personIds));
  const byPerson = new Map<string, Identity[]>();
  for (const { personId, kind, value } of rows) byPerson.set(personId, [...(byPerson.get(personId) ?? []), { kind, value }]);
  return byPerson;
}

/**
 * The contact that these identities name: found, extended by the identities it lacked, merged with every other person that shares an
 * address unless verified ids differ, or made new. The persons' rows are locked by the caller.
 * @returns the contact and its person; null when no identity is given
 */
export async function resolveContact(ctx: EventContext, identities: Identity[]): Promise<{ contactId: string; personId: string } | null> {
  if (identities.length === 0) return null;
  const found = await contactsByIdentity(ctx.tx, identities);
  const known = found.length === 0 ? new Map<string, Identity[]>() : await identitiesOfPersons(ctx, [...new Set(found.map((f) => f.personId))]);
  const compatible = found.filter((f) => !conflict(identities, known.get(f.personId) ?? []));
  const chosen = compatible.find((f) => f.kind.startsWith('external:')) ?? compatible[0];
  if (chosen === undefined) return createContact(ctx, identities);

  const together = [chosen.personId];
  const merged = [...(known.get(chosen.personId) ?? [])];
  for (const { personId } of compatible) {
    if (together.includes(personId) || conflict(merged, known.get(personId) ?? [])) continue;
    together.push(personId);
    merged.push(...(known.get(personId) ?? []));
  }
  const missing = identities.filter((i) => !merged.some((m) => m.kind === i.kind && m.value === i.value));
  await addIdentities(ctx, chosen.contactId, missing);
  const personId = together.length > 1 ? await mergePersons(ctx, together) : chosen.personId;
  // A new address may be one that must not be written to: what was said about it reaches the whole person.
  if (missing.length > 0) await carryStops(ctx, personId);
  return { contactId: chosen.contactId, personId };
}

export async function createContact(ctx: EventContext, identities: Identity[]): Promise<{ contactId: string; personId: string }> {
  const id = uuidv7();
  await ctx.tx.insert(contacts).values({ tenantId: ctx.source.tenantId, id, personId: id });
  await addIdentities(ctx, id, identities);
  ctx.reachedPersonIds.push(id);
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
  return root;
}

/** The person whom a contact belongs to. */
export async function personOf(ctx: Pick<EventContext, 'tx'>, contactId: string): Promise<string> {
  const [row] = await ctx.tx.select({ personId: contacts.personId }).from(contacts).where(eq(contacts.id, contactId));
  if (row === undefined) throw new Error('a contact vanished under its lock');
  return row.personId;
}
