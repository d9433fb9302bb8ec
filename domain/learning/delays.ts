import { judge } from '../experiments/judge.ts';
import type { Cases, Interval } from '../statistics/interval.ts';
import { twoSidedP } from '../statistics/normal.ts';
import { pooledZ } from '../statistics/anytime.ts';
import { differenceInterval, type Lift, relativeLift, trend, wilsonInterval } from '../statistics/proportions.ts';
import { sampleRatio } from '../statistics/sample-ratio.ts';

/** Who got a step after one delay, by chance, and converted within the goal’s window of the assignment, whether or not the message went out. */
export interface DelayArm extends Cases {
  id: string;
  /** After what the step counts from, in milliseconds of real time. */
  delayMs: number;
  /** Everybody who was assigned, `people` are those whose window is over. */
  assigned: number;
  share: number;
}

/** A later delay beside the step’s own. */
export interface DelayComparison {
  arm: DelayArm;
  rate: number | null;
  interval: Interval | null;
  /** Against the first arm; null for that one itself, and where nothing can be divided. */
  difference: { value: number; interval: Interval } | null;
  lift: Lift | null;
  z: number | null;
  /** Of the two-proportion z test, times the number of comparisons: right for one look that was planned beforehand. */
  p: number | null;
}

export interface DelayAnalysis {
  /** `not_enough`: an arm lacks people or conversions; `unsound`: the arms have not as many people as they should. */
  state: 'enough' | 'not_enough' | 'unsound';
  /** What the arms lack, all together; nothing where there is enough. */
  missing: { people: number; conversions: number };
  arms: DelayComparison[];
  /** Whether conversion rises or falls with the delay, of three arms and more (Cochran and Armitage). */
  trend: { z: number; p: number } | null;
  /** As likely as differences this large are where there are none, at any look: the tests end by it (rule 35). */
  anytimeP: number;
  /** The delay that did significantly better than the step’s own, the best of them. */
  better: DelayComparison | null;
}

const fewestPeople = 50;
const fewestOfEither = 10;
const alpha = 0.05;

/**
 * Delays of a step that were drawn by chance. Late steps only reach those who have not converted yet, so conversion after a message says nothing about its delay.
 * @param arms - two at least; the shortest delay is the step’s own
 * Source: docs/rules.md#rule-114
 */
export function compareDelays(arms: readonly DelayArm[]): DelayAnalysis {
  const ordered = arms.toSorted((a, b) => a.delayMs - b.delayMs || a.id.localeCompare(b.id));
  const [own, ...others] = ordered;
  if (own === undefined || others.length === 0) throw new RangeError('delays are compared in two arms at least');
  const assigned = ordered.reduce((sum, arm) => sum + arm.assigned, 0);
  const shares = ordered.reduce((sum, { share }) => sum + share, 0);
  const ratio = sampleRatio(
    ordered.map((arm) => arm.assigned),
    ordered.map(({ share }) => (assigned * share) / shares),
  );
  const missing = ordered.reduce(
    (sum, { people, converted }) => ({
      people: sum.people + Math.max(0, fewestPeople - people, fewestOfEither - (people - converted)),
      conversions: sum.conversions + Math.max(0, fewestOfEither - converted),
    }),
    { people: 0, conversions: 0 },
  );
  const lacks = missing.people > 0 || missing.conversions > 0;
  const state = ratio !== null && ratio.mismatch ? 'unsound' : lacks ? 'not_enough' : 'enough';
  const compared = ordered.map((arm): DelayComparison => {
    const interval = arm === own ? null : differenceInterval(own, arm);
    const z = arm === own ? null : pooledZ(own, arm);
    return {
      arm,
      rate: arm.people === 0 ? null : arm.converted / arm.people,
      interval: wilsonInterval(arm.converted, arm.people),
      difference: interval === null ? null : { value: arm.converted / arm.people - own.converted / own.people, interval },
      ...{ lift: arm === own ? null : relativeLift(own, arm), z, p: z === null ? null : Math.min(1, twoSidedP(z) * others.length) },
    };
  });
  const certain = state === 'enough' ? compared.filter(({ p, z }) => p !== null && p < alpha && (z ?? 0) > 0) : [];
  const delays = ordered.map(({ delayMs }) => delayMs);
  return {
    ...{ state, missing, arms: compared },
    trend: ordered.length > 2 ? trend(ordered, delays) : null,
    anytimeP: judge(ordered).p,
    better: certain.toSorted((a, b) => (b.rate ?? 0) - (a.rate ?? 0))[0] ?? null,
  };
}

/** The sentence by which a better delay is suggested; null: none did significantly better. */
export function delaySuggestion(sequence: string, step: string, { arms: [own], better }: DelayAnalysis): string | null {
  if (own === undefined || better === null || own.rate === null || better.rate === null) return null;
  const more = better.lift === null ? '' : `: ${signed(better.lift.lift)} conversions`;
  return `Move step ${step} of ${sequence} from ${span(own.arm.delayMs)} to ${span(better.arm.delayMs)}${more} (${percent(better.rate)} instead of ${percent(own.rate)}, p = ${(better.p ?? 1).toPrecision(2)}).`;
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const signed = (share: number) => `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(0)} %`;

/** For people: `36 h`, `90 min`. */
function span(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${minutes} min`;
}
