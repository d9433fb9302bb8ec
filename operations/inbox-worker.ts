import { sql } from 'drizzle-orm';
import { inbox } from '../db/schema/index.ts';
import { applyPending } from './accept-delivery.ts';
import type { Deps } from './deps.ts';
import { GivingWay } from './intake/give-way.ts';

/** So many deliveries stored first within a second are a flood that is still arriving. */
const arrivingAtLeast = 50;

/** The worker's part in a flood: it applies stored deliveries once the flood is over, and signals Temporal after that. */
export interface InboxWorker {
  /** One pass. @returns whether there may be more to do right away */
  pass(): Promise<boolean>;
  /** Whether a flood is arriving or being applied. */
  isFlooded(): boolean;
}

export function createInboxWorker(deps: Deps): InboxWorker {
  const applying = new GivingWay(deps.clock, 15_000);
  let flooded = false;
  return {
    async pass() {
      const arriving = await isArriving(deps);
      flooded = arriving || flooded;
      if (applying.asked(arriving)) return false;
      const more = (await applyPending(deps)) > 0;
      flooded = arriving || (flooded && more);
      return more;
    },
    isFlooded: () => flooded,
  };
}

async function isArriving({ db }: Pick<Deps, 'db'>): Promise<boolean> {
  for (const tenantId of await db.tenantsWithWork('pending_inbox')) {
    const recent = await db.withTenant(tenantId, (tx) =>
      tx
        .select({ id: inbox.id })
        .from(inbox)
        .where(sql`state = 'pending' and attempts = 0 and received_at > clock_timestamp() - interval '1 second'`)
        .limit(arrivingAtLeast),
    );
    if (recent.length === arrivingAtLeast) return true;
  }
  return false;
}
