import type { Behaviour } from '../risk/behaviour.ts';
import type { Prediction } from '../risk/outcome.ts';
import type { EpochMs } from '../sequence/plan.ts';
import { addUp, type Amount, microsOf, shareOf } from './amount.ts';
import type { Cost } from './cost.ts';

const dayMs = 86_400_000;
/** What an account bought within this time says what it will buy. */
const yearDays = 365;

/**
 * How many more accounts of a hundred stay because of an intervention, as a share. `measured`: against people who were held out. `assumed`: the store's
 * own guess (the setting `interventionEffects`).
 */
export interface Effect {
  share: number;
  from: 'measured' | 'assumed';
}

/**
 * What is lost with an account within the horizon of the prediction: what it bought within a year, or for as long as it has been known, as much of it
 * as falls into the horizon. Orders without an amount count as nothing.
 * @returns by currency, none where it has bought nothing
 */
export function stakeOf(history: readonly Behaviour[], atMs: EpochMs, { withinDays }: Pick<Prediction, 'withinDays'>): Amount[] {
  const before = history.filter((one) => one.atMs <= atMs);
  const firstMs = before.reduce((first, one) => Math.min(first, one.atMs), atMs);
  const days = Math.max(withinDays, Math.min(yearDays, Math.ceil((atMs - firstMs) / dayMs)));
  const bought = before.flatMap((one): Amount[] => {
    if (one.kind !== 'order' || one.amount === null || one.currency === null || atMs - one.atMs >= days * dayMs) return [];
    const micros = microsOf(one.amount);
    return micros === null ? [] : [{ currency: one.currency, micros }];
  });
  return addUp(bought).map(({ currency, micros }) => ({ currency, micros: (micros * BigInt(withinDays)) / BigInt(days) }));
}

/**
 * What one action is expected to bring: what is at stake, times the effect of its intervention, of which each of the intervention's actions has an equal
 * part.
 * @returns null where nothing is known about the effect
 */
export function expectedOf(stake: readonly Amount[], effect: Effect | null, actions: number): Amount[] | null {
  return effect === null || actions < 1 ? null : stake.map((amount) => shareOf(amount, effect.share / actions));
}

/** Why there is no return. `nothing_expected`: no effect is known, or nothing is at stake. */
export const noReturnReasons = ['nothing_expected', 'unknown_cost', 'no_cost', 'several_currencies'] as const;
export type NoReturn = (typeof noReturnReasons)[number];

/** The return on a cost, both ways of writing it: `multiple` is value ÷ cost, `percent` is (value − cost) ÷ cost × 100. */
export type Return = { multiple: number; percent: number } | { because: NoReturn };

/** @param value - expected or brought in; null: it is not known */
export function returnOf(value: readonly Amount[] | null, { amounts, unknown }: Cost): Return {
  if (unknown.length > 0) return { because: 'unknown_cost' };
  if (value === null || value.length === 0) return { because: 'nothing_expected' };
  const cost = amounts.filter(({ micros }) => micros !== 0n);
  if (cost.length === 0) return { because: 'no_cost' };
  const [only] = cost;
  const [own] = value;
  if (only === undefined || own === undefined || cost.length > 1 || value.length > 1 || only.currency !== own.currency)
    return { because: 'several_currencies' };
  return { multiple: Number(own.micros) / Number(only.micros), percent: (Number(own.micros - only.micros) / Number(only.micros)) * 100 };
}
