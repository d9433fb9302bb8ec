import { sql } from 'drizzle-orm';
import { lateness } from '../db/schema/index.ts';
import type { Deps } from './deps.ts';

const slotMs = 5_000;
const slots = 12;

/**
 * Store what this process has collected, so that every process can report it. One row for each store with late steps.
 * @returns how many rows were written
 */
export async function storeLateness(deps: Pick<Deps, 'db' | 'clock' | 'lateness'>): Promise<number> {
  const taken = deps.lateness.take();
  const slot = Math.floor(deps.clock.nowMs() / slotMs);
  for (const [tenantId, { steps, worstMs }] of taken) {
    const isSameSpan = sql`${lateness.at} = excluded.at`;
    await deps.db.withTenant(tenantId, (tx) =>
      tx
        .insert(lateness)
        .values({ tenantId, slot: slot % slots, at: slot * slotMs, steps, worstMs })
        .onConflictDoUpdate({
          target: [lateness.tenantId, lateness.slot],
          set: {
            at: sql`excluded.at`,
            steps: sql`case when ${isSameSpan} then ${lateness.steps} else 0 end + excluded.steps`,
            worstMs: sql`greatest(case when ${isSameSpan} then ${lateness.worstMs} else 0 end, excluded.worst_ms)`,
          },
        }),
    );
  }
  return taken.size;
}
