import { and, eq, inArray, isNull, ne, sql } from 'drizzle-orm';
import { offers } from '../../db/schema/index.ts';
import { shopPauseMs } from '../../domain/offers/decide-offer.ts';
import type { Minter } from '../../integrations/port.ts';
import type { Deps } from '../deps.ts';
import { freeUnsent, lockGrants } from './locks.ts';
import { minterOf, retryAfterOf } from './minter.ts';

/** Of one tenant in one pass. */
const atOnce = 50;

/**
 * Close at their shops the codes that were taken back, and those whose sequence ended before they could have been sent. A shop that is away is asked again
 * until it answers or the code has ended by itself.
 * @returns how many were closed
 */
export async function closeCodes(deps: Deps): Promise<number> {
  let closed = 0;
  for (const tenantId of await deps.db.tenantsWithWork('codes_to_close')) {
    const due = await deps.db.withTenant(tenantId, async (tx) => {
      await lockGrants(tx, tenantId);
      await freeUnsent(tx);
      return tx
        .select()
        .from(offers)
        .where(
          and(
            ne(offers.source, 'pool'),
            inArray(offers.state, ['revoked', 'refused']),
            isNull(offers.closedAtShop),
            // A call that makes it may still be on its way: what is closed before it arrives would be open after it.
            sql`ends_at > clock_timestamp() and coalesce(shop_after, '-infinity') <= clock_timestamp()
              and coalesce(asked_at, '-infinity') <= clock_timestamp() - interval '1 minute'`,
          ),
        )
        .orderBy(offers.id)
        .limit(atOnce);
    });
    const minters = new Map<string, Minter | null>();
    for (const offer of due) {
      const { connectionId } = offer;
      if (connectionId !== null && !minters.has(connectionId))
        minters.set(connectionId, await minterOf(deps, tenantId, connectionId, { closing: true }));
      if (await closeCode(deps, tenantId, offer, connectionId === null ? null : (minters.get(connectionId) ?? null))) closed++;
    }
  }
  return closed;
}

/** @param minter - null: it was never made anywhere, or nothing can close it any more */
export async function closeCode(deps: Deps, tenantId: string, offer: typeof offers.$inferSelect, minter: Minter | null): Promise<boolean> {
  try {
    await minter?.revoke(offer.code);
    await deps.db.withTenant(tenantId, (tx) =>
      tx.update(offers).set({ closedAtShop: sql`clock_timestamp()`, shopFailures: 0, shopAfter: null }).where(eq(offers.id, offer.id)),
    );
    return true;
  } catch (error) {
    const failures = offer.shopFailures + 1;
    const shopAfter = deps.clock.nowMs() + shopPauseMs(failures, retryAfterOf(error));
    await deps.db.withTenant(tenantId, (tx) => tx.update(offers).set({ shopFailures: failures, shopAfter }).where(eq(offers.id, offer.id)));
    deps.log.warn({ offer: offer.id, failures, err: error }, 'the shop could not be told to close a code; it will be asked again');
    return false;
  }
}
