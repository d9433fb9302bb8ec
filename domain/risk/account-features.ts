import type { EpochMs } from '../sequence/plan.ts';
import type { Behaviour } from './behaviour.ts';
import { type BuyingModel, chanceAlive } from './buy-till-you-die.ts';
import type { Features, FeatureValue } from './example.ts';
import type { RiskRule } from './rules.ts';

const dayMs = 86_400_000;

/** How much each kind of behaviour says about whether somebody stays: an order more than a visit. A request for help is counted apart. */
const weights: Record<Behaviour['kind'], number> = { order: 5, message: 3, call: 3, visit: 1, own: 1, open: 0.5, support: 0 };

/** What somebody did counts half after so many days. */
const halfLifeDays = 14;

/** How far back behaviour counts, beside the times since the last of each kind. */
const windowDays = 90;

const timed = ['visit', 'order', 'message', 'open', 'call', 'support'] as const;

/**
 * What an account's behaviour says about it at a moment. Nothing that happened later is in it, so that a model learns from what was known then. Recent
 * behaviour counts more than old, and an order more than a visit.
 * @param history - in any order
 * @param buying - how the store's customers buy; null: unknown
 */
export function accountFeatures(history: readonly Behaviour[], atMs: EpochMs, buying: BuyingModel | null = null): Features {
  const past = history.filter((one) => one.atMs <= atMs).toSorted((a, b) => a.atMs - b.atMs);
  const days = (one: Behaviour) => (atMs - one.atMs) / dayMs;
  const daysOf = (one: Behaviour | undefined) => (one === undefined ? null : days(one));
  // Asking for help is no sign of staying.
  const daysSinceAny = daysOf(past.findLast((one) => weights[one.kind] > 0));
  const features: Record<string, FeatureValue> = { knownDays: daysOf(past[0]), daysSinceAny };
  for (const kind of timed) {
    features[`daysSince${capital(kind)}`] = daysOf(past.findLast((one) => one.kind === kind));
    features[`${kind}sIn30Days`] = past.filter((one) => one.kind === kind && days(one) < 30).length;
    features[`${kind}sIn90Days`] = past.filter((one) => one.kind === kind && days(one) < windowDays).length;
  }
  for (const one of past) {
    if (one.kind !== 'own' || days(one) >= windowDays) continue;
    const name = `own.${one.code}`;
    features[name] = Number(features[name] ?? 0) + 1;
  }
  const activity = activityAt(past, atMs);
  const before = activityAt(past, atMs - 30 * dayMs);
  const rhythm = rhythmDays(past);
  return {
    ...features,
    activity,
    // Negative: less than a month ago. 1 is added, so that nothing then and nothing now is no change.
    activityChange: Math.log2((activity + 1) / (before + 1)),
    rhythmDays: rhythm,
    overdue: rhythm === null || daysSinceAny === null ? null : daysSinceAny / Math.max(1, rhythm),
    severeSupportIn90Days: past.filter((one) => one.kind === 'support' && one.severity === 'high' && days(one) < windowDays).length,
    callsAnsweredIn90Days: past.filter((one) => one.kind === 'call' && one.answered === true && days(one) < windowDays).length,
    ...buyingFeatures(past, atMs, buying),
  };
}

/** Behaviour by the weight of its kind, halved every two weeks. */
function activityAt(past: readonly Behaviour[], atMs: EpochMs): number {
  return past.reduce((sum, one) => (one.atMs > atMs ? sum : sum + weights[one.kind] * 2 ** (-(atMs - one.atMs) / dayMs / halfLifeDays)), 0);
}

/** The usual number of days between two days on which they did something: the median; null: they did on fewer than three days. */
function rhythmDays(past: readonly Behaviour[]): number | null {
  const active = [...new Set(past.filter((one) => weights[one.kind] > 0).map((one) => Math.floor(one.atMs / dayMs)))].toSorted((a, b) => a - b);
  const gaps = active
    .slice(1)
    .map((day, index) => day - (active[index] ?? day))
    .toSorted((a, b) => a - b);
  if (gaps.length < 2) return null;
  const middle = Math.floor(gaps.length / 2);
  return gaps.length % 2 === 1 ? (gaps[middle] ?? null) : ((gaps[middle - 1] ?? 0) + (gaps[middle] ?? 0)) / 2;
}

function buyingFeatures(past: readonly Behaviour[], atMs: EpochMs, buying: BuyingModel | null): Record<string, FeatureValue> {
  const orders = past.filter((one) => one.kind === 'order');
  const [first] = orders;
  const last = orders.at(-1);
  if (first === undefined || last === undefined) return { repeatOrders: null, meanOrder: null, chanceAlive: null };
  const amounts = orders.flatMap((one) => (one.amount === null || one.currency !== last.currency ? [] : [Number(one.amount)]));
  const history = { repeats: orders.length - 1, lastAt: (last.atMs - first.atMs) / dayMs, age: (atMs - first.atMs) / dayMs };
  return {
    repeatOrders: history.repeats,
    meanOrder: amounts.length === 0 ? null : amounts.reduce((sum, amount) => sum + amount, 0) / amounts.length,
    chanceAlive: buying === null ? null : chanceAlive(buying, history),
  };
}

const capital = (word: string) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`;

/** Rules that rank accounts while there are too few outcomes to learn from. */
export const accountRules: readonly RiskRule[] = [
  { feature: 'daysSinceAny', from: 7, to: 45, points: 30 },
  { feature: 'overdue', from: 1, to: 4, points: 25 },
  { feature: 'activityChange', from: 0, to: -3, points: 20 },
  { feature: 'daysSinceOrder', from: 30, to: 180, points: 15 },
  { feature: 'supportsIn30Days', from: 0, to: 3, points: 10 },
];
