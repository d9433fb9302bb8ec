import { and, asc, eq, inArray, isNull, or, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { consents, contactIdentities, contacts, suppressions } from '../../db/schema/index.ts';
import { type Channel, channelNames, channels } from '../../domain/channels/index.ts';
import type { EventContext } from './context.ts';
import type { ConsentTold } from '../../domain/events.ts';
import { type Identity, isStrong } from '../../domain/people/choose-contact.ts';
import { type ConsentBasis, deniesEverything } from '../../domain/people/consent.ts';

type Reading = Pick<EventContext, 'tx' | 'deps' | 'source'>;

function identityHash(ctx: Reading, identity: Identity): string {
  return ctx.deps.sealing.addressHash(ctx.source.tenantId, identity.kind, identity.value);
}

/** Hashes of the identities that mean one person: what is said about a number closes the number, not whoever shares it. */
export function personalHashes(ctx: Reading, identities: readonly Identity[]): string[] {
  return identities.filter(isStrong).map((i) => identityHash(ctx, i));
}

/**
 * Everything that persons are known by. Providers' ids belong to it: an opt-out of somebody known by such an id alone holds for the
 * addresses that become known later.
 */
export async function identitiesHeldBy(ctx: Reading, personIds: string[]): Promise<Identity[]> {
  if (personIds.length === 0) return [];
  return ctx.tx
    .selectDistinct({ kind: contactIdentities.kind, value: contactIdentities.value })
    .from(contactIdentities)
    .innerJoin(contacts, and(eq(contacts.tenantId, contactIdentities.tenantId), eq(contacts.id, contactIdentities.contactId)))
    .where(inArray(contacts.personId, personIds))
    .orderBy(asc(contactIdentities.kind), asc(contactIdentities.value));
}

/** Whether all marketing to the person is blocked: to any of their addresses or ids, or by their own word. */
export async function suppressedEverywhere(ctx: Reading, personId: string): Promise<boolean> {
  const hashes = personalHashes(ctx, await identitiesHeldBy(ctx, [personId]));
  if (hashes.length > 0) {
    const rows = await ctx.tx
      .select({ id: suppressions.id })
      .from(suppressions)
      .where(and(inArray(suppressions.addressHash, hashes), eq(suppressions.channel, 'all'), isNull(suppressions.liftedAt)))
      .limit(1);
    if (rows.length > 0) return true;
  }
  return deniesEverything(await statementsOf(ctx, [personId]));
}

/** What these persons have stated about marketing. */
export async function statementsOf(ctx: Reading, personIds: string[]) {
  if (personIds.length === 0) return [];
  const rows = await ctx.tx
    .select({
      channel: consents.channel,
      state: consents.state,
      basis: sql<ConsentBasis>`consent_basis(${consents.basis}, ${consents.source})`,
      atMs: consents.occurredAt,
    })
    .from(consents)
    .innerJoin(contacts, and(eq(contacts.tenantId, consents.tenantId), eq(contacts.id, consents.contactId)))
    .where(inArray(contacts.personId, personIds));
  return rows;
}

export interface Suppression {
  /** A channel, or `all`. */
  channel: Channel | 'all';
  reason: 'opted_out' | 'complaint';
  basis: 'person' | 'record';
  /** When it was said last, by the provider's clock: an opt-in from before that lifts nothing, whenever it arrives. */
  sinceMs: number;
}

const numberChannels = channelNames.filter((name) => channels[name].address === 'phone');

/** What an opt-out closes of one identity. A number is closed for texts and calls, whoever else has it, and for nothing else. */
function closedOf(identity: Identity, channel: Suppression['channel']): string[] {
  if (isStrong(identity)) return [channel];
  if (channel === 'all' || channel === 'sms') return numberChannels;
  return numberChannels.filter((name) => name === channel);
}

/** Block marketing to these identities. Each reason has a row of its own: a complaint stays when an opt-out beside it is lifted. */
export async function suppress(ctx: Reading, identities: readonly Identity[], { channel, reason, basis, sinceMs }: Suppression): Promise<void> {
  const closed = identities.flatMap((i) => closedOf(i, channel).map((name) => ({ addressHash: identityHash(ctx, i), channel: name })));
  for (const name of new Set(closed.map((c) => c.channel))) {
    const hashes = [...new Set(closed.filter((c) => c.channel === name).map((c) => c.addressHash))];
    await suppressHashes(ctx, hashes, { channel: name, reason, basis, sinceMs });
  }
}

async function suppressHashes(
  ctx: Reading,
  hashes: string[],
  { channel, reason, basis, sinceMs }: Omit<Suppression, 'channel'> & { channel: string },
): Promise<void> {
  if (hashes.length === 0) return;
  const iso = new Date(sinceMs).toISOString();
  const known = await ctx.tx
    .update(suppressions)
    // What the person said themselves counts on when the shop's record repeats it.
    .set({ since: sql`greatest(since, ${iso}::timestamptz)`, basis: basis === 'person' ? 'person' : sql`coalesce(basis, 'person')` })
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
    .values(fresh.map((addressHash) => ({ tenantId: ctx.source.tenantId, id: uuidv7(), addressHash, channel, reason, basis, since: sinceMs })));
}

const marketingChannels = channelNames.filter((name) => channels[name].purpose === 'marketing');

export interface OptIn {
  channel: string;
  /** By the provider's clock. */
  saidAtMs: number;
  /** `record`: the shop's record, which takes back only what the shop's record had said. */
  basis: 'person' | 'record';
}

/**
 * Open a channel again by the person's own word. Bounces and complaints stay, and so does an opt-out that was said later (rule 13).
 */
export async function liftOptOuts(ctx: Reading, identities: readonly Identity[], { channel, saidAtMs, basis }: OptIn): Promise<void> {
  if (identities.length === 0) return;
  const hashes = identities.map((i) => identityHash(ctx, i));
  const numbers = identities.filter((i) => !isStrong(i)).map((i) => identityHash(ctx, i));
  // START opens what STOP has closed: texts to the number, and calls.
  const ofNumber =
    channel === 'sms' && numbers.length > 0
      ? and(inArray(suppressions.addressHash, numbers), inArray(suppressions.channel, numberChannels))
      : undefined;
  const lifted = await ctx.tx
    .update(suppressions)
    .set({ liftedAt: sql`clock_timestamp()` })
    .where(
      and(
        or(and(inArray(suppressions.addressHash, hashes), inArray(suppressions.channel, [channel, 'all'])), ofNumber),
        eq(suppressions.reason, 'opted_out'),
        isNull(suppressions.liftedAt),
        basis === 'record' ? eq(suppressions.basis, 'record') : undefined,
        sql`since <= ${new Date(saidAtMs).toISOString()}::timestamptz`,
      ),
    )
    .returning({ addressHash: suppressions.addressHash, channel: suppressions.channel, since: suppressions.since, basis: suppressions.basis });
  // An opt-in on one channel opens that channel, not the others that "all" had closed.
  for (const wide of lifted.filter((l) => l.channel === 'all')) {
    for (const other of marketingChannels.filter((name) => name !== channel)) {
      await suppressHashes(ctx, [wide.addressHash], {
        channel: other,
        reason: 'opted_out',
        basis: wide.basis ?? 'person',
        sinceMs: wide.since,
      });
    }
  }
}

/** The shop's record says yes, later than it said no: its own no is taken back. */
export async function liftByRecord(ctx: Reading, personId: string, told: readonly ConsentTold[]): Promise<void> {
  for (const { channel, atMs } of told.filter((t) => t.basis === 'record' && t.state === 'granted')) {
    if (atMs === null) continue;
    await liftOptOuts(ctx, await identitiesHeldBy(ctx, [personId]), { channel, saidAtMs: atMs, basis: 'record' });
  }
}
