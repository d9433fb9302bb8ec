import { and, eq, isNull, lt, or } from 'drizzle-orm';
import { connections } from '../db/schema/index.ts';
import type { Deps } from './deps.ts';

/**
 * Note that a delivery was refused for its signature: a secret that was typed wrongly is seen nowhere else. Anybody may post one, so it is noted once a minute
 * and changes nothing but what is shown.
 */
export async function noteMissigned({ db, clock }: Pick<Deps, 'db' | 'clock'>, tenantId: string, id: string): Promise<void> {
  const nowMs = clock.nowMs();
  await db.withTenant(tenantId, (tx) =>
    tx
      .update(connections)
      .set({ missignedAt: nowMs })
      .where(and(eq(connections.id, id), or(isNull(connections.missignedAt), lt(connections.missignedAt, nowMs - 60_000)))),
  );
}
