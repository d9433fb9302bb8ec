import { sql } from 'drizzle-orm';
import { liveReaders } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';

/** Events are recorded for so long after somebody has read them last. */
const recordedDays = 7;

/** Let a store's events be recorded, from now on where they were not. Readers call it when they begin, and again at least once a day. */
export async function recordForReaders({ db }: Pick<Deps, 'db'>, tenantId: string): Promise<void> {
  const until = sql`clock_timestamp() + make_interval(days => ${recordedDays})`;
  await db.withTenant(tenantId, (tx) =>
    tx
      .insert(liveReaders)
      .values({ tenantId, since: sql`clock_timestamp()`, until })
      .onConflictDoUpdate({
        target: liveReaders.tenantId,
        set: { since: sql`case when ${liveReaders.until} > clock_timestamp() then ${liveReaders.since} else clock_timestamp() end`, until },
        // A frequent reader writes once a day.
        setWhere: sql`${liveReaders.until} < clock_timestamp() + make_interval(days => ${recordedDays - 1})`,
      }),
  );
}
