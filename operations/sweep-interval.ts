import { eq, sql } from 'drizzle-orm';
import type { TenantSummary, Tx } from '../db/client.ts';
import { sweeps, tenants } from '../db/schema/index.ts';
import { isSweepDue, type SweepKind } from '../domain/people/sweep-interval.ts';
import { settingsOf, type TenantSettings } from '../domain/tenant-settings.ts';
import type { Deps } from './deps.ts';

const minutesOf: Record<SweepKind, (settings: TenantSettings) => number | null> = {
  silent: ({ silentSweepMinutes }) => silentSweepMinutes,
  ghosts: ({ ghostSweepMinutes }) => ghostSweepMinutes,
};

/** Whether this pass examines the store, by its settings as they are now. @param everySeconds - how long after a pass the next one comes */
export function isStoreDue({ db }: Pick<Deps, 'db'>, tenant: TenantSummary, kind: SweepKind, everySeconds: number): Promise<boolean> {
  return db.withTenant(tenant.id, async (tx) => {
    const minutes = await minutesIn(tx, tenant, kind);
    const sinceMs = sql<number>`extract(epoch from clock_timestamp() - ${sweeps.sweptAt})::float8 * 1000`;
    const [last] = await tx.select({ sinceMs }).from(sweeps).where(eq(sweeps.kind, kind));
    return isSweepDue({
      intervalMs: minutes === null ? null : (minutes * 60_000) / tenant.timeScale,
      passEveryMs: everySeconds * 1_000,
      sinceMs: last?.sinceMs ?? null,
    });
  });
}

/** Note that the store was examined. Called at the end: what a crash interrupts, or an error here leaves unnoted, is due again in the next pass. */
export async function noteSwept({ db, log }: Pick<Deps, 'db' | 'log'>, tenant: TenantSummary, kind: SweepKind): Promise<void> {
  try {
    await db.withTenant(tenant.id, async (tx) => {
      // Stores without an interval are examined in every pass: nothing has to be known about the latest.
      if ((await minutesIn(tx, tenant, kind)) === null) return;
      const sweptAt = sql`clock_timestamp()`;
      const target = [sweeps.tenantId, sweeps.kind];
      await tx.insert(sweeps).values({ tenantId: tenant.id, kind, sweptAt }).onConflictDoUpdate({ target, set: { sweptAt } });
    });
  } catch (error) {
    log.warn({ tenant: tenant.slug, sweep: kind, err: error }, 'that a store was examined could not be noted: the next pass examines it again');
  }
}

async function minutesIn(tx: Tx, tenant: TenantSummary, kind: SweepKind): Promise<number | null> {
  const [row] = await tx.select({ settings: tenants.settings }).from(tenants).where(eq(tenants.id, tenant.id));
  return row === undefined ? null : minutesOf[kind](settingsOf(row));
}
