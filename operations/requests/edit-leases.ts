import { and, eq, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { editLeases } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';

/** The longest an edit may take; after that the next one no longer waits for it. */
const leaseSeconds = 30;
const askEveryMs = 25;
const patienceMs = 3_000;

/**
 * Begin an edit of what stands at a path: edits of the same thing come one after the other, in all processes.
 * @returns what ends it; null: others were editing it all the time
 */
export async function beginEdit({ db, clock }: Pick<Deps, 'db' | 'clock'>, tenantId: string, path: string): Promise<(() => Promise<void>) | null> {
  const run = uuidv7();
  const until = sql`clock_timestamp() + make_interval(secs => ${leaseSeconds})`;
  const row = and(eq(editLeases.tenantId, tenantId), eq(editLeases.path, path));
  for (const beganMs = clock.monotonicMs(); ; await new Promise((done) => setTimeout(done, askEveryMs))) {
    const taken = await db.withTenant(tenantId, (tx) =>
      tx
        .insert(editLeases)
        .values({ tenantId, path, run, until })
        .onConflictDoUpdate({
          target: [editLeases.tenantId, editLeases.path],
          set: { run, until },
          setWhere: sql`edit_leases.until <= clock_timestamp()`,
        })
        .returning({ run: editLeases.run }),
    );
    if (taken.length > 0) break;
    if (clock.monotonicMs() - beganMs > patienceMs) return null;
  }
  return async () => {
    await db.withTenant(tenantId, (tx) =>
      tx
        .update(editLeases)
        .set({ until: sql`clock_timestamp()` })
        .where(and(row, eq(editLeases.run, run))),
    );
  };
}
