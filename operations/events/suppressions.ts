import { and, asc, eq, inArray, isNull, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { contactIdentities, contacts, suppressions } from '../../db/schema/index.ts';
import { channelNames, channels } from '../../domain/channels.ts';
import type { EventContext } from './context.ts';
import type { Identity } from './identities.ts';

type Reading = Pick<EventContext, 'tx' | 'deps' | 'source'>;

export function identityHash(ctx: Reading, identity: Identity): string {
  return ctx.deps.sealing.addressHash(ctx.source.tenantId, identity.kind, identity.value);
}

/**
 * Hashes of everything that a person is known by, as the suppression list stores them. Providers' ids belong to it: an opt-out of
 * somebody known by such an id alone holds for the addresses that become known later.
 */
export async function identityHashes(ctx: Reading, personIds: string[]): Promise<string[]> {
  if (personIds.length === 0) return [];
  const rows = await ctx.tx
    .select({ kind: contactIdentities.kind, value: contactIdentities.value })
    .from(contactIdentities)
    .innerJoin(contacts, and(eq(contacts.tenantId, contactIdentities.tenantId), eq(contacts.id, contactIdentities.contactId)))
    .where(inArray(contacts.personId, personIds))
    .orderBy(asc(contactIdentities.id));
  return [...new Set(rows.map((row) => identityHash(ctx, row)))];
}

/** Whether all marketing to any of the person's identities is blocked. */
export async function suppressedEverywhere(ctx: Reading, personId: string): Promise<boolean> {
  const hashes = await identityHashes(ctx, [personId]);
  if (hashes.length === 0) return false;
  const rows = await ctx.tx
    .select({ id: suppressions.id })
    .from(suppressions)
    .where(and(inArray(suppressions.addressHash, hashes), eq(suppressions.channel, 'all'), isNull(suppressions.liftedAt)))
    .limit(1);
  return rows.length > 0;
}

export interface Suppression {
  /** A channel, or `all`. */
  channel: string;
  reason: 'opted_out' | 'complaint';
  /** When it was said last, by the provider's clock: an opt-in from before that lifts nothing, whenever it arrives. */
  sinceMs: number;
}

/** Block marketing to these hashes. Each reason has a row of its own: a complaint stays when an opt-out beside it is lifted. */
export async function suppress(ctx: Reading, hashes: string[], { channel, reason, sinceMs }: Suppression): Promise<void> {
  if (hashes.length === 0) return;
  const iso = new Date(sinceMs).toISOString();
  const known = await ctx.tx
    .update(suppressions)
    .set({ since: sql`greatest(since, ${iso}::timestamptz)` })
    .where(
      and(
        inArray(suppressions.addressHash, hashes),
        eq(suppressions.channel, channel),
        eq(suppressions.reason, reason),
        isNull(suppressions.liftedAt),
      ),
    )
    .returning({ addressHash: suppressions.addressHash });
  const fresh = hashes.filter((hash) => !known.some((k) => k.addressHash === hash));
  if (fresh.length === 0) return;
  await ctx.tx
    .insert(suppressions)
    .values(fresh.map((addressHash) => ({ tenantId: ctx.source.tenantId, id: uuidv7(), addressHash, channel, reason, since: sinceMs })));
}

const marketingChannels = channelNames.filter((name) => channels[name].purpose === 'marketing');

/**
 * Open a channel again by the person's own word. Bounces and complaints stay, and so does an opt-out that was said later (rule 13).
 * @param saidAtMs - by the provider's clock
 */
export async function liftOptOuts(ctx: Reading, hashes: string[], channel: string, saidAtMs: number): Promise<void> {
  if (hashes.length === 0) return;
  const lifted = await ctx.tx
    .update(suppressions)
    .set({ liftedAt: sql`clock_timestamp()` })
    .where(
      and(
        inArray(suppressions.addressHash, hashes),
        inArray(suppressions.channel, [channel, 'all']),
        eq(suppressions.reason, 'opted_out'),
        isNull(suppressions.liftedAt),
        sql`since <= ${new Date(saidAtMs).toISOString()}::timestamptz`,
      ),
    )
    .returning({ addressHash: suppressions.addressHash, channel: suppressions.channel, since: suppressions.since });
  // An opt-in on one channel opens that channel, not the others that "all" had closed.
  for (const wide of lifted.filter((l) => l.channel === 'all')) {
    for (const other of marketingChannels.filter((name) => name !== channel)) {
      await suppress(ctx, [wide.addressHash], { channel: other, reason: 'opted_out', sinceMs: wide.since });
    }
  }
}
