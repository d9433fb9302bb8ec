import type { FactOf } from '../facts/index.ts';
import { isFresh } from '../facts/index.ts';
import { foldedText } from '../facts/kind.ts';
import type { EpochMs } from '../sequence/plan.ts';

/**
 * Whether it may be said that homes go quickly: fresh news of sales where the lead looks. A lead that names no area looks everywhere that the store
 * reports about. Other news of a market (a price, a rate, the season) may mean the opposite, and is no reason to hurry anyone.
 * @param words - what the lead wrote: their area first, then anything that may name one
 */
export function isMarketHot(facts: readonly FactOf<'market'>[], words: readonly string[], nowMs: EpochMs): boolean {
  const said = words.map((text) => ` ${foldedText(text)} `);
  const named = facts.filter(({ subject }) => said.some((text) => text.includes(` ${subject} `)));
  const about = said.length > 0 && named.length > 0 ? named : facts;
  return about.some((fact) => fact.value.trigger === 'new_sales_nearby' && isFresh(fact, nowMs));
}
