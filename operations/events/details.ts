import { and, eq, gte, ne, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { consents, contacts } from '../../db/schema/index.ts';
import type { PersonDetails } from '../../domain/events.ts';
import type { EventContext } from './context.ts';

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

/** Consent is append-only; what was said before, or is known to have been said again later, adds nothing. */
async function recordConsents(ctx: EventContext, contactId: string, details: PersonDetails, occurredAtMs: number): Promise<void> {
  for (const { channel, state } of details.consents) {
    // A repeat that is newer counts: what lies between the two may still be on its way.
    const [said] = await ctx.tx
      .select({ id: consents.id })
      .from(consents)
      .where(and(eq(consents.contactId, contactId), eq(consents.channel, channel), eq(consents.state, state), gte(consents.occurredAt, occurredAtMs)))
      .limit(1);
    if (said !== undefined) continue;
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
