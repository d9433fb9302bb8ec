import type { EpochMs } from '../sequence/plan.ts';
import { scaled } from '../sequence/time-scale.ts';
import type { OfferPolicy } from './policy.ts';

/** What is on record about offers to a person, read under the person's lock. */
export interface OfferRecords {
  /** null: the store gives none. */
  policy: OfferPolicy | null;
  /** The grant of an earlier attempt of the same step; null: none. */
  own: { percentOff: number; endsAtMs: EpochMs; state: 'granted' | 'minted' | 'refused' | 'revoked' } | null;
  /** Other grants to the person that stand, the latest first: when, and by which step (`cart/email_72h`). */
  earlier: readonly { atMs: EpochMs; step: string }[];
  /** When the store granted offers within the budget's window, to anybody; null: a rehearsal does not know. */
  spentAtMs: readonly EpochMs[] | null;
  /** Carts that the person has left in 90 days, this one included. */
  cartsLeft: number;
  /** What the subject would cost at regular prices, minor units; null: not known. */
  regularMinor: number | null;
  /** Codes of the pool that nobody has; null: they come from elsewhere. */
  codesLeft: number | null;
  /** Codes are made at a shop, and none is connected; absent: one is, or codes come from the pool. */
  noShop?: boolean;
}

/** Why a person gets no offer. */
export const offerRefusals = [
  'no_policy',
  'had_one',
  'leaves_carts',
  'value_unknown',
  'too_small',
  'margin_unknown',
  'margin_too_small',
  'budget_spent',
  'no_code',
  'no_shop',
  'not_minted',
  'over',
] as const;
export type OfferRefusal = (typeof offerRefusals)[number];

export type OfferDecision = { granted: true; percentOff: number; endsAtMs: EpochMs } | { granted: false; reason: OfferRefusal };

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** With less left a code is not worth sending. */
const leastLeftMs = hourMs;

/**
 * Whether a person gets an offer with this step, and on what terms. Pure: the same records and clock give the same answer.
 * @param subject - what it is about is worth so much now; null: not known
 * @param timeScale - of the plan: days of a demo pass faster
 * Source: docs/rules.md#rule-47
 */
export function decideOffer(records: OfferRecords, subject: { valueMinor: number | null }, nowMs: EpochMs, timeScale: number): OfferDecision {
  const { policy, own } = records;
  if (own !== null) {
    // What an attempt before has granted stands, whatever the policy says now: its code may be on its way.
    if (own.state === 'refused' || own.state === 'revoked') return refused('not_minted');
    return own.endsAtMs - nowMs < scaled(leastLeftMs, timeScale)
      ? refused('over')
      : { granted: true, percentOff: own.percentOff, endsAtMs: own.endsAtMs };
  }
  if (policy === null) return refused('no_policy');
  const since = (days: number) => nowMs - scaled(days * dayMs, timeScale);
  if (records.earlier.some(({ atMs }) => atMs > since(policy.onePerDays))) return refused('had_one');
  if (records.cartsLeft > policy.mostCartsLeft) return refused('leaves_carts');
  const worth = worthOf(policy, subject.valueMinor, records.regularMinor);
  if (worth !== null) return refused(worth);
  const { budget } = policy;
  if (budget !== null && (records.spentAtMs ?? []).filter((atMs) => atMs > since(budget.withinDays)).length >= budget.most)
    return refused('budget_spent');
  if (records.codesLeft === 0) return refused('no_code');
  if (records.noShop === true) return refused('no_shop');
  return { granted: true, percentOff: policy.percentOff, endsAtMs: endOf(nowMs, policy, timeScale) };
}

const refused = (reason: OfferRefusal): OfferDecision => ({ granted: false, reason });

/** Full hours, so that what the message says about the end is what holds. */
function endOf(nowMs: EpochMs, { validHours }: OfferPolicy, timeScale: number): EpochMs {
  const endMs = nowMs + scaled(validHours * hourMs, timeScale);
  return timeScale === 1 ? Math.floor(endMs / hourMs) * hourMs : endMs;
}

function worthOf(policy: OfferPolicy, valueMinor: number | null, regularMinor: number | null): OfferRefusal | null {
  const { minimumMinor, leastMarginPercent, marginPercent, percentOff } = policy;
  if (valueMinor === null && (minimumMinor > 0 || leastMarginPercent !== null)) return 'value_unknown';
  if ((valueMinor ?? 0) < minimumMinor) return 'too_small';
  if (leastMarginPercent === null) return null;
  if (marginPercent === null || regularMinor === null || valueMinor === null || valueMinor <= 0) return 'margin_unknown';
  const costMinor = regularMinor * (1 - marginPercent / 100);
  const leftMinor = valueMinor * (1 - percentOff / 100);
  return ((leftMinor - costMinor) / leftMinor) * 100 < leastMarginPercent ? 'margin_too_small' : null;
}

const words: Record<OfferRefusal, string> = {
  no_policy: 'the store gives none',
  had_one: 'the person has had one in the time for which one is enough',
  leaves_carts: 'the person has left too many carts lately to be paid for leaving one',
  value_unknown: 'what it is worth is not known',
  too_small: 'it is worth too little',
  margin_unknown: 'what the store would earn is not known',
  margin_too_small: 'too little would be earned',
  budget_spent: 'the budget is spent',
  no_code: 'there is no code left',
  no_shop: 'no shop is connected that makes codes',
  not_minted: 'its code was taken back, or could not be made',
  over: 'the one that was granted ends too soon',
};

/** Completes "No offer: …". */
export const refusalWords = (reason: OfferRefusal): string => words[reason];

/** How long a message waits for a shop that cannot be reached to make its code. */
const patienceMs = hourMs;
const leastPatienceMs = 2 * 60_000;

/** Until when a step waits for the code of its offer: then it goes on without. Under a time scale it always has two minutes. Source: docs/rules.md#rule-58 */
export const waitsForCodeUntil = (grantedAtMs: EpochMs, timeScale: number): EpochMs =>
  grantedAtMs + Math.max(leastPatienceMs, scaled(patienceMs, timeScale));

const firstPauseMs = 10_000;
const longestPauseMs = 10 * 60_000;

/** The pause before a shop that gave no clear answer is called again, the latest failure included. `asked`: what the shop asked for itself. */
export function shopPauseMs(failures: number, asked: number | null): number {
  const ours = Math.min(firstPauseMs * 2 ** Math.min(Math.max(failures - 1, 0), 10), longestPauseMs);
  return asked === null ? ours : Math.min(Math.max(asked, 1_000), longestPauseMs);
}
