import type { EpochMs } from '../sequence/plan.ts';

/** A property as its source offers it. */
export interface Property {
  id: string;
  title: string;
  area: string | null;
  /** Of one unit, in minor units of `currency`; null: not stated. */
  priceMinor: number | null;
  /** ISO 4217. */
  currency: string | null;
  /** How many units are left at this price; null: not known. */
  unitsLeft: number | null;
  /** Its page, http(s). */
  url: string | null;
  /** When this was so. */
  observedAtMs: EpochMs;
  /** From when on none of it is stated any more. */
  expiresAtMs: EpochMs;
}

/** What a source recommends to a lead. */
export interface Recommendations {
  /** A sentence of the source's own that introduces the list; null: the bot's own. */
  message: string | null;
  properties: readonly Property[];
}

/** No list is longer: a chat message is read on a telephone. */
const mostListed = 5;

/** What may be shown now: stated at this moment, not sold out, and not shown before; each once. */
export function listed(properties: readonly Property[], shown: readonly string[], nowMs: EpochMs): Property[] {
  const fresh = properties.filter((one) => one.observedAtMs <= nowMs && nowMs < one.expiresAtMs && one.unitsLeft !== 0 && !shown.includes(one.id));
  return [...new Map(fresh.toReversed().map((one) => [one.id, one])).values()].toReversed().slice(0, mostListed);
}

/** One of which few are left. */
export interface Scarce {
  title: string;
  left: number;
  /** Several properties are listed, so the line has to say which it is about. */
  named: boolean;
}

/**
 * The one of which the fewest are left. The number is the true one: unknown, none or many are no scarcity.
 * @param lowStockAt - the store's own threshold for few
 */
export function scarceOf(properties: readonly Property[], lowStockAt: number): Scarce | null {
  let best: Scarce | null = null;
  for (const { title, unitsLeft } of properties) {
    if (unitsLeft === null || unitsLeft < 1 || unitsLeft > lowStockAt || (best !== null && unitsLeft >= best.left)) continue;
    best = { title, left: unitsLeft, named: properties.length > 1 };
  }
  return best;
}
