import { and, eq, sql } from 'drizzle-orm';
import { offers } from '../../db/schema/index.ts';
import { shopPauseMs } from '../../domain/offers/decide-offer.ts';
import type { Minter } from '../../integrations/port.ts';
import type { Deps } from '../deps.ts';
import { minterOf, retryAfterOf, shopOf } from './minter.ts';

type OfferRow = typeof offers.$inferSelect;
type Made = Awaited<ReturnType<Minter['mint']>> | { kind: 'unclear'; response: string; retryAfterMs: number | null };

/**
 * Make the code of a grant at its shop. No lock is held. May be repeated after a crash: a code that exists already under its own name is the one that was
 * made before. Where no clear answer comes, that is on record, and the step waits or goes on without (docs/rules.md#rule-58).
 */
export async function mintOffer(deps: Deps, tenantId: string, offer: OfferRow): Promise<void> {
  const connectionId = offer.connectionId ?? (await deps.db.withTenant(tenantId, (tx) => shopOf(tx, offer.source)));
  const minter = connectionId === null ? null : await minterOf(deps, tenantId, connectionId);
  const stillGranted = and(eq(offers.id, offer.id), eq(offers.state, 'granted'));
  if (minter === null) {
    const note = 'no shop is connected that makes codes';
    await deps.db.withTenant(tenantId, (tx) =>
      tx
        .update(offers)
        .set({ state: 'refused', note, ...neverMade(offer) })
        .where(stillGranted),
    );
    return;
  }
  // Written first: from now on the code may exist, whatever becomes of this process.
  const asked = await deps.db.withTenant(tenantId, (tx) =>
    tx.update(offers).set({ connectionId, askedAt: sql`clock_timestamp()` }).where(stillGranted).returning({ id: offers.id }),
  );
  if (asked.length === 0) return;
  await deps.checkpoints('offer.asked');
  const made = await tryToMake(minter, offer);
  await deps.checkpoints('offer.made');
  if (made.kind !== 'minted') deps.log.warn({ offer: offer.id, kind: made.kind, response: made.response }, 'the code of an offer was not made');
  await deps.db.withTenant(tenantId, (tx) => {
    const failures = offer.shopFailures + 1;
    if (made.kind === 'unclear') {
      const shopAfter = deps.clock.nowMs() + shopPauseMs(failures, made.retryAfterMs);
      return tx
        .update(offers)
        .set({ shopFailures: failures, shopAfter, note: made.response.slice(0, 500) })
        .where(stillGranted);
    }
    // What was taken back meanwhile stays taken back; that the shop has answered counts all the same, because the code can be closed now.
    const state = sql<OfferRow['state']>`case when ${offers.state} = 'granted' then ${made.kind} else ${offers.state} end`;
    const note = made.kind === 'minted' ? {} : { note: made.response.slice(0, 500), ...neverMade(offer) };
    return tx
      .update(offers)
      .set({ state, askedAt: null, shopFailures: 0, shopAfter: null, ...note })
      .where(eq(offers.id, offer.id));
  });
}

/** After a call without a clear answer a refusal says nothing about that one: the code may exist, and is closed. */
const neverMade = ({ askedAt }: OfferRow) => (askedAt === null ? { closedAtShop: sql`clock_timestamp()` } : {});

async function tryToMake(minter: Minter, offer: OfferRow): Promise<Made> {
  try {
    return await minter.mint(offer);
  } catch (error) {
    return { kind: 'unclear', response: error instanceof Error ? error.message : String(error), retryAfterMs: retryAfterOf(error) };
  }
}
