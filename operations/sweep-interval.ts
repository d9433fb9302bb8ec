import { eq, sql } from 'drizzle-orm';
import type { TenantSummary, Tx } from '../db/client.ts';
import { sweeps, tenants } from '../db/schema/index.ts';
import { isSweepDue, type SweepKind } from '../domain/people/sweep-interval.ts';
import { settingsOf, type TenantSettings } from '../domain/tenant-settings.ts';
import type { Deps } from './deps.ts';

/** What a store says about its sweeps; null: as the installation does. */
const ownOf: Record<SweepKind, (settings: TenantSettings) => { minutes: number | null; most: number | null }> = {
  silent: ({ silentSweepMinutes: minutes, silentSweepMost: most }) => ({ minutes, most }),
  ghosts: ({ ghostSweepMinutes: minutes, ghostSweepMost: most }) => ({ minutes, most }),
};

/** @param everySeconds - how long after a pass the next one comes. @param most - how many leads of a store are examined where it says nothing itself */
interface Pass {
  everySeconds: number;
  most: number;
}

/**
 * How many leads of the store this pass examines at most, by its settings as they are now. Each store has its own: one with many silent leads takes
 * nothing from the others.
 * @returns 0: it is not the store's turn
 */
export function turnOf({ db }: Pick<Deps, 'db'>, tenant: TenantSummary, kind: SweepKind, pass: Pass): Promise<number> {
  return db.withTenant(tenant.id, async (tx) => {
    const own = await ownIn(tx, tenant, kind);
    const sinceMs = sql<number>`extract(epoch from clock_timestamp() - ${sweeps.sweptAt})::float8 * 1000`;
    const [last] = await tx.select({ sinceMs }).from(sweeps).where(eq(sweeps.kind, kind));
    const isDue = isSweepDue({
      intervalMs: own.minutes === null ? null : (own.minutes * 60_000) / tenant.timeScale,
      passEveryMs: pass.everySeconds * 1_000,
      sinceMs: last?.sinceMs ?? null,
    });
    return isDue ? (own.most ?? pass.most) : 0;
  });
}

/** Note that the store was examined. Called at the end: what a crash interrupts, or an error here leaves unnoted, is due again in the next pass. */
export async function noteSwept({ db, log }: Pick<Deps, 'db' | 'log'>, tenant: TenantSummary, kind: SweepKind): Promise<void> {
  try {
    await db.withTenant(tenant.id, async (tx) => {
      // Stores without an interval are examined in every pass: nothing has to be known about the latest.
      if ((await ownIn(tx, tenant, kind)).minutes === null) return;
      const sweptAt = sql`clock_timestamp()`;
      const target = [sweeps.tenantId, sweeps.kind];
      await tx.insert(sweeps).values({ tenantId: tenant.id, kind, sweptAt }).onConflictDoUpdate({ target, set: { sweptAt } });
    });
  } catch (error) {
    log.warn({ tenant: tenant.slug, sweep: kind, err: error }, 'that a store was examined could not be noted: the next pass examines it again');
  }
}

async function ownIn(tx: Tx, tenant: TenantSummary, kind: SweepKind): Promise<{ minutes: number | null; most: number | null }> {
  const [row] = await tx.select({ settings: tenants.settings }).from(tenants).where(eq(tenants.id, tenant.id));
  return row === undefined ? { minutes: null, most: null } : ownOf[kind](settingsOf(row));
}
