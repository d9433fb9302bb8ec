import { sql } from 'drizzle-orm';
import { lateness } from '../db/schema/index.ts';
import type { Deps } from './deps.ts';

/** Steps that were dispatched late: how many, and by how much at worst. */
export interface LateSteps {
  steps: number;
  worstMs: number;
}

/** What a process notes while it dispatches, until it is stored. */
export interface LatenessLog {
  /** A step was dispatched this late: after its due time, or the later time to which it was put off. */
  note(tenantId: string, lateMs: number): void;
  /** Forget what was noted so far. @returns it, by tenant */
  take(): Map<string, LateSteps>;
}

/** From this on a step is late, in wall time: Temporal's timers and a busy minute cost less. */
const lateFromMs = 5_000;

export function createLatenessLog(): LatenessLog {
  let noted = new Map<string, LateSteps>();
  return {
    note(tenantId, lateMs) {
      if (lateMs < lateFromMs) return;
      const before = noted.get(tenantId) ?? { steps: 0, worstMs: 0 };
      noted.set(tenantId, { steps: before.steps + 1, worstMs: Math.max(before.worstMs, Math.round(lateMs)) });
    },
    take() {
      const taken = noted;
      noted = new Map();
      return taken;
    },
  };
}

const slotMs = 5_000;
const slots = 12;

/**
 * Store what this process noted, so that every process can tell. One row for each store that was late.
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
