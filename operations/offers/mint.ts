import { and, eq } from 'drizzle-orm';
import { offers } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';
import { minterOf } from './minter.ts';

type OfferRow = typeof offers.$inferSelect;

/**
 * Make the code of a grant at its shop. No lock is held. May be repeated after a crash: a code that exists already under its own name is the one that was
 * made before.
 * @throws what the shop's being away throws: the step is tried again
 */
export async function mintOffer(deps: Deps, tenantId: string, offer: OfferRow): Promise<void> {
  const minter = await minterOf(deps, tenantId, offer.source);
  const made = minter === null ? { kind: 'refused' as const, response: 'no shop is connected that makes codes' } : await minter.mint(offer);
  // Fenced by the state: what was taken back meanwhile stays taken back.
  await deps.db.withTenant(tenantId, (tx) =>
    tx
      .update(offers)
      .set(made.kind === 'minted' ? { state: 'minted' } : { state: 'refused', note: made.response.slice(0, 500) })
      .where(and(eq(offers.id, offer.id), eq(offers.state, 'granted'))),
  );
}
