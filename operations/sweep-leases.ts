import { and, eq, sql } from 'drizzle-orm';
import { messages } from '../db/schema/index.ts';
import type { Deps } from './deps.ts';
import { applyFind, endDeadLease } from './dispatch/fence.ts';
import { outletsOf } from './outlets.ts';

/**
 * End leases whose worker never came back, and ask providers that can be asked about calls in doubt: no row depends on a retry.
 * @returns how many rows changed
 */
export async function sweepLeases(deps: Deps): Promise<number> {
  let changed = 0;
  for (const tenantId of await deps.db.tenantsWithWork('dead_leases')) {
    const outlets = await outletsOf(deps, tenantId);
    changed += await deps.db.settling(tenantId, async (tx) => {
      const dead = await tx
        .select()
        .from(messages)
        .where(and(eq(messages.live, true), sql`claimed_at + make_interval(secs => dead_lease_ms / 1000.0) <= clock_timestamp()`))
        .limit(100)
        .for('update', { skipLocked: true });
      for (const row of dead) await endDeadLease(tx, row, outlets.ofAccount(row.account, row.channel)?.sender.reconciliation ?? null);
      return dead.length;
    });
  }
  if (changed > 0) deps.telemetry.repaired('dead_lease');
  for (const tenantId of await deps.db.tenantsWithWork('in_doubt')) changed += await askAboutDoubts(deps, tenantId);
  return changed;
}

async function askAboutDoubts(deps: Deps, tenantId: string): Promise<number> {
  const outlets = await outletsOf(deps, tenantId);
  const doubtful = await deps.db.settling(tenantId, (tx) =>
    tx
      .select()
      .from(messages)
      .where(and(eq(messages.state, 'unknown'), eq(messages.live, false), sql`find_from <= clock_timestamp()`))
      .limit(50),
  );
  let changed = 0;
  for (const row of doubtful) {
    // Only the account that was called can answer for the call.
    const reconciliation = outlets.ofAccount(row.account, row.channel)?.sender.reconciliation;
    if (reconciliation?.kind !== 'find' || row.claim === null || row.payload === null) continue;
    // Asked without a lock; the answer counts only for this claim, and only while nothing else has happened.
    const found = await reconciliation.find(`${row.enrollmentId}:${row.stepId}`, row.payload).catch(() => null);
    if (found !== null && (await applyFind(deps.db, tenantId, row.id, row.claim, found))) changed++;
  }
  return changed;
}
