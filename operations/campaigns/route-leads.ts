import { asc, eq, sql } from 'drizzle-orm';
import { isLockFailure } from '../../db/client.ts';
import { leadRoutings } from '../../db/schema/index.ts';
import { classifyFailure } from '../classify-failure.ts';
import type { Deps } from '../deps.ts';
import { routeLead } from './enter.ts';

/** So many leads of a store are routed in one pass. */
const atOnce = 100;
/** Different people do not wait for each other, but for the campaigns that they go to. */
const side = 8;

/** Route what came in, the oldest first. @returns whether there may be more to do right away */
export async function routingPass(deps: Deps): Promise<boolean> {
  let more = false;
  for (const tenantId of await deps.db.tenantsWithWork('lead_routings')) {
    const waiting = await deps.db.withTenant(tenantId, (tx) =>
      tx.select({ id: leadRoutings.subjectId }).from(leadRoutings).where(sql`routed_at is null`).orderBy(asc(leadRoutings.at)).limit(atOnce),
    );
    more ||= waiting.length === atOnce;
    for (let from = 0; from < waiting.length; from += side)
      await Promise.all(waiting.slice(from, from + side).map(({ id }) => routeOne(deps, tenantId, id)));
  }
  return more;
}

async function routeOne(deps: Deps, tenantId: string, subjectId: string): Promise<void> {
  try {
    await routeLead(deps, tenantId, subjectId);
  } catch (error) {
    if (isLockFailure(error) || classifyFailure(error) !== 'unexpected') throw error;
    // One lead that cannot be read must not hold up all those behind it.
    deps.log.error({ lead: subjectId, err: error }, 'a lead could not be routed to its campaigns');
    await deps.db.withTenant(tenantId, (tx) =>
      tx.update(leadRoutings).set({ routedAt: sql`clock_timestamp()`, outcome: 'failed' }).where(eq(leadRoutings.subjectId, subjectId)),
    );
  }
}
