import { and, eq, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { bots, connections } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';

// One process keeps a bot, by lease: it alone fetches its updates, and starts and stops it. What it writes is fenced by the lease.

/** A bot that was not kept for longer than this was down; a process that takes over sooner continues what another did. */
const downAfterMs = 5_000;

export interface BotRef {
  tenantId: string;
  connectionId: string;
}

/** Thrown where another process keeps the bot by now: nothing was written. */
export class LostBotError extends Error {
  override readonly name = 'LostBotError';
}

export type BotRow = typeof bots.$inferSelect;

/** A bot as its keeper finds it, and what its connection wants of it. */
export interface BotState {
  bot: BotRow;
  integration: string;
  /** The configuration that it is to run with, sealed; null: it is not to run. */
  wanted: string | null;
}

const heldBy = ({ connectionId }: BotRef, holder: string) =>
  and(eq(bots.connectionId, connectionId), eq(bots.holder, holder), sql`held_until > clock_timestamp()`);

/**
 * Take the bot, unless another process keeps it.
 * @returns whether it was down until now; null: another process keeps it
 */
export function takeBot(
  { db }: Pick<Deps, 'db'>,
  { tenantId, connectionId }: BotRef,
  holder: string,
  leaseMs: number,
): Promise<{ wasDown: boolean } | null> {
  return db.withTenant(tenantId, async (tx) => {
    const isFree = sql<boolean>`held_until is null or held_until <= clock_timestamp()`;
    const wasKept = sql<boolean>`running and held_until is not null and held_until > clock_timestamp() - make_interval(secs => ${downAfterMs / 1_000})`;
    const [found] = await tx.select({ isFree, wasKept }).from(bots).where(eq(bots.connectionId, connectionId)).for('update', { skipLocked: true });
    if (found === undefined || !found.isFree) return null;
    await tx
      .update(bots)
      .set({ holder, heldUntil: inMs(leaseMs), ...(found.wasKept ? {} : { answersFrom: sql`clock_timestamp()` }) })
      .where(eq(bots.connectionId, connectionId));
    return { wasDown: !found.wasKept };
  });
}

/** Keep it for longer. @returns what its connection wants now; null: another process keeps it */
export function renewBot({ db }: Pick<Deps, 'db'>, ref: BotRef, holder: string, leaseMs: number): Promise<BotState | null> {
  return db.withTenant(ref.tenantId, async (tx) => {
    const renewed = await tx
      .update(bots)
      .set({ heldUntil: inMs(leaseMs) })
      .where(heldBy(ref, holder))
      .returning({ id: bots.connectionId });
    return renewed.length === 0 ? null : readBot(tx, ref);
  });
}

/** Let another process have it. */
export async function releaseBot({ db }: Pick<Deps, 'db'>, ref: BotRef, holder: string): Promise<void> {
  await db.withTenant(ref.tenantId, (tx) => tx.update(bots).set({ heldUntil: sql`clock_timestamp()` }).where(heldBy(ref, holder)));
}

type BotChange = Partial<Pick<BotRow, 'running' | 'delivery' | 'webhookUrl' | 'sealedConfig' | 'account' | 'nextUpdate' | 'failures'>>;

/** @throws LostBotError */
export async function changeBot(tx: Tx, ref: BotRef, holder: string, change: BotChange): Promise<void> {
  const changed = await tx.update(bots).set(change).where(heldBy(ref, holder)).returning({ id: bots.connectionId });
  if (changed.length === 0) throw new LostBotError('another process keeps the bot by now');
}

/** Not tried again before the pause is over. @param startsAnew - its provider has to be configured again */
export async function noteBotFailure(
  tx: Tx,
  ref: BotRef,
  holder: string,
  { pauseMs, startsAnew }: { pauseMs: number; startsAnew: boolean },
): Promise<void> {
  await tx
    .update(bots)
    .set({ failures: sql`failures + 1`, nextTryAt: inMs(pauseMs), heldUntil: sql`clock_timestamp()`, ...(startsAnew ? { running: false } : {}) })
    .where(heldBy(ref, holder));
}

export async function readBot(tx: Tx, { connectionId }: BotRef): Promise<BotState | null> {
  const [row] = await tx
    .select({ bot: bots, connection: connections })
    .from(bots)
    .innerJoin(connections, and(eq(connections.tenantId, bots.tenantId), eq(connections.id, bots.connectionId)))
    .where(eq(bots.connectionId, connectionId));
  if (row === undefined) return null;
  const { state, removedAt, sealedConfig, integration } = row.connection;
  return { bot: row.bot, integration, wanted: state === 'connected' && removedAt === null ? sealedConfig : null };
}

/** A connection has a bot: some process will start it. */
export async function enterBot(tx: Tx, { tenantId, connectionId }: BotRef): Promise<void> {
  await tx.insert(bots).values({ tenantId, connectionId });
}

/** Its connection has changed: it is tried at once, whatever failed before. */
export async function wakeBot(tx: Tx, connectionId: string): Promise<void> {
  await tx.update(bots).set({ nextTryAt: sql`clock_timestamp()`, failures: 0 }).where(eq(bots.connectionId, connectionId));
}

/**
 * From when on what is said to the bot of a connection is answered, epoch milliseconds. A bot that nobody keeps is down: it answers nothing that is said
 * until it is kept again.
 * @returns null: it was never started
 */
export async function answersFrom(tx: Tx, connectionId: string): Promise<number | null> {
  const isDown = sql<boolean>`held_until is null or held_until <= clock_timestamp() - make_interval(secs => ${downAfterMs / 1_000})`;
  const [row] = await tx.select({ answersFrom: bots.answersFrom, isDown }).from(bots).where(eq(bots.connectionId, connectionId));
  if (row === undefined || row.answersFrom === null) return null;
  return row.isDown ? Number.POSITIVE_INFINITY : row.answersFrom;
}

const inMs = (ms: number) => sql`clock_timestamp() + make_interval(secs => ${ms / 1_000})`;
