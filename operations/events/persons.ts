import { and, asc, eq, inArray, ne, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { consents, contactIdentities, contacts, suppressions } from '../../db/schema/index.ts';
import type { PersonDetails } from '../../domain/events.ts';
import type { EventContext } from './context.ts';
import { contactsByIdentity, type Identity } from './identities.ts';
import { coverPersons, openEnrollmentsOf, stopEnrollments } from './stop-enrollments.ts';

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
  ctx.lockedPersonIds.push(id);
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
  const all = await ctx.tx.select().from(contacts).where(inArray(contacts.id, [root, ...others]));
  const latest = (pick: (c: (typeof all)[number]) => number | null) => all.reduce<number | null>((max, c) => (pick(c) ?? 0) > (max ?? 0) ? pick(c) : max, null);
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

/** Apply to a person's open enrollments what is already known to stop them. A stop found here is waited for like any other. */
async function carryStops(ctx: EventContext, personId: string): Promise<void> {
  const open = await openEnrollmentsOf(ctx, [personId]);
  if (open.length === 0) return;
  const [person] = await ctx.tx.select().from(contacts).where(eq(contacts.id, personId));
  if (person === undefined) return;
  const closed = person.lifecycle === 'DO_NOT_CONTACT' || (await suppressedEverywhere(ctx, personId));
  let stopped = 0;
  for (const e of open) {
    const reason = closed
      ? ('opted_out' as const)
      : person.lastOrderAt !== null && person.lastOrderAt >= e.startedAt && person.lastOrderAt >= e.anchorAt
        ? ('purchased_elsewhere' as const)
        : person.lastReplyAt !== null && person.lastReplyAt > e.anchorAt && e.stopOn.includes('replied')
          ? ('replied' as const)
          : null;
    if (reason !== null) stopped += (await stopEnrollments(ctx, [e.id], reason)).length;
  }
  if (stopped > 0) await coverPersons(ctx, [personId]);
}

/** Whether all marketing to any of the person's addresses is blocked. */
export async function suppressedEverywhere(ctx: EventContext, personId: string): Promise<boolean> {
  const hashes = await addressHashes(ctx, personId);
  if (hashes.length === 0) return false;
  const rows = await ctx.tx
    .select({ id: suppressions.id })
    .from(suppressions)
    .where(and(inArray(suppressions.addressHash, hashes), eq(suppressions.channel, 'all'), sql`lifted_at is null`))
    .limit(1);
  return rows.length > 0;
}

/** Hashes of every e-mail address and phone number of a person, as the suppression list stores them. */
export async function addressHashes(ctx: Pick<EventContext, 'tx' | 'deps' | 'source'>, personId: string): Promise<string[]> {
  const rows = await ctx.tx
    .select({ kind: contactIdentities.kind, value: contactIdentities.value })
    .from(contactIdentities)
    .innerJoin(contacts, and(eq(contacts.tenantId, contactIdentities.tenantId), eq(contacts.id, contactIdentities.contactId)))
    .where(and(eq(contacts.personId, personId), inArray(contactIdentities.kind, ['email', 'phone'])))
    .orderBy(asc(contactIdentities.id));
  return rows.map((r) => ctx.deps.sealing.addressHash(ctx.source.tenantId, r.kind, r.value));
}

/** Fold details by the provider's clock: an older event fills holes, a newer one overwrites. */
export async function foldDetails(ctx: EventContext, contactId: string, details: PersonDetails, occurredAtMs: number): Promise<void> {
  const [c] = await ctx.tx.select().from(contacts).where(eq(contacts.id, contactId));
  if (c === undefined) return;
  const newer = c.detailsAt === null || occurredAtMs >= c.detailsAt;
  const fold = <T>(old: T | null, fresh: T | null): T | null => (newer ? (fresh ?? old) : (old ?? fresh));
  await ctx.tx
    .update(contacts)
    .set({
      firstName: fold(c.firstName, details.firstName),
      lastName: fold(c.lastName, details.lastName),
      locale: fold(c.locale, details.locale),
      timeZone: fold(c.timeZone, details.timeZone),
      country: fold(c.country, details.country),
      region: fold(c.region, details.region),
      orderCount: fold(c.orderCount, details.orderCount),
      lifetimeValueMinor: fold(c.lifetimeValueMinor, details.lifetimeValueMinor),
      detailsAt: newer ? occurredAtMs : c.detailsAt,
    })
    .where(eq(contacts.id, contactId));
  await recordConsents(ctx, contactId, details, occurredAtMs);
}

/** Consent is append-only; a repeated statement adds nothing. */
async function recordConsents(ctx: EventContext, contactId: string, details: PersonDetails, occurredAtMs: number): Promise<void> {
  for (const { channel, state } of details.consents) {
    const [last] = await ctx.tx
      .select({ state: consents.state, occurredAt: consents.occurredAt })
      .from(consents)
      .where(and(eq(consents.contactId, contactId), eq(consents.channel, channel)))
      .orderBy(sql`occurred_at desc, created_at desc`)
      .limit(1);
    if (last !== undefined && (last.state === state || last.occurredAt > occurredAtMs)) continue;
    await ctx.tx.insert(consents).values({
      tenantId: ctx.source.tenantId,
      id: uuidv7(),
      contactId,
      channel,
      state,
      source: `connection:${ctx.source.connectionId}`,
      occurredAt: occurredAtMs,
    });
  }
}

/** Any sign of life of the person on the site, by the provider's clock. */
export async function markSeen(ctx: EventContext, personId: string, atMs: number): Promise<void> {
  const iso = new Date(atMs).toISOString();
  await ctx.tx
    .update(contacts)
    .set({ lastSeenAt: sql`greatest(last_seen_at, ${iso}::timestamptz)` })
    .where(and(eq(contacts.id, personId), ne(sql`coalesce(last_seen_at, '-infinity')`, sql`${iso}::timestamptz`)));
}

/** The person whom a contact belongs to. */
export async function personOf(ctx: Pick<EventContext, 'tx'>, contactId: string): Promise<string> {
  const [row] = await ctx.tx.select({ personId: contacts.personId }).from(contacts).where(eq(contacts.id, contactId));
  if (row === undefined) throw new Error('a contact vanished under its lock');
  return row.personId;
}
