import { logEvidence } from '../statistics/anytime.ts';
import type { Interval } from '../statistics/interval.ts';
import { differenceSequence } from '../statistics/sequence-of-differences.ts';
import { momentsOfShare } from './compare.ts';

/** What a test must not make worse. `opt_outs`: whoever closed a channel themselves, complaints among them; `refunds`: whoever had an order refunded or cancelled. */
export const guardrailMetrics = ['opt_outs', 'complaints', 'refunds'] as const;
export type GuardrailMetric = (typeof guardrailMetrics)[number];

/** How often one of all arms on all metrics may be accused wrongly, at all looks together. */
const alpha = 0.05;
/** In the arm, and in all others together, before anything is said. */
const fewestPeople = 50;

/** Of the people of one arm, those to whom each of it happened within their window so far. */
export interface HarmCases extends Readonly<Record<GuardrailMetric, number>> {
  id: string;
  people: number;
  /** Of the people who are assigned. */
  share: number;
}

/** One arm beside all others together, on one metric. */
export interface GuardrailReading {
  metric: GuardrailMetric;
  arm: string;
  people: number;
  cases: number;
  /** Of the others together. */
  others: { people: number; cases: number };
  /** The arm less the others, in shares of people: the difference lies within it at every look, for all arms and metrics together, with 95 %; null: nothing varies, or nobody is there. */
  within: Interval | null;
  /** For certain: the whole interval lies on the bad side, and the counts themselves are as unlikely. */
  isWorse: boolean;
}

/**
 * Every arm beside the others on every metric. It may be asked as often as anybody likes. Where the shares of arms change, as in a bandit, it says nothing.
 * Source: docs/rules.md#rule-124
 */
export function readGuardrails(arms: readonly HarmCases[]): GuardrailReading[] {
  if (arms.length < 2) return [];
  // Of two arms, one is worse exactly where the other is better: still each is asked by itself.
  const each = alpha / (arms.length * guardrailMetrics.length);
  const all = arms.reduce((sum, { share }) => sum + share, 0);
  return guardrailMetrics.flatMap((metric) =>
    arms.map((arm): GuardrailReading => {
      const rest = arms.filter((one) => one !== arm);
      const others = { people: sumOf(rest, ({ people }) => people), cases: sumOf(rest, (one) => one[metric]) };
      const own = { people: arm.people, cases: arm[metric] };
      const sequence = Math.min(own.people, others.people) < 2 ? null : differenceSequence(momentsOfShare(others), momentsOfShare(own), each);
      const share = arm.share / all;
      const isEnough = own.people >= fewestPeople && others.people >= fewestPeople && share > 0 && share < 1;
      const isWorse =
        isEnough &&
        sequence !== null &&
        sequence.interval.low > 0 &&
        // The interval is right for many cases only; the evidence of counts is for a handful as well.
        logEvidence([others.cases, own.cases], [1 - share, share]) >= Math.log(1 / each);
      return { metric, arm: arm.id, people: own.people, cases: own.cases, others, within: sequence?.interval ?? null, isWorse };
    }),
  );
}

const sumOf = <T>(all: readonly T[], of: (one: T) => number) => all.reduce((sum, one) => sum + of(one), 0);
