import type { Cases, Interval } from '../statistics/interval.ts';
import { homogeneity, wilsonInterval } from '../statistics/proportions.ts';

/** A step of a sequence, by what became of those to whom its message went out before the next one did. */
export interface StepExits {
  step: string;
  /** In the version in use, counted from 0; null: that has no such step. */
  order: number | null;
  channels: readonly string[];
  executed: number;
  converted: number;
  /** Ended otherwise, without converting. */
  left: number;
  /** `executed` and `left` by the part of the day at which the message went out, on the store’s clock; `converted` of it are those that left. */
  byHours?: readonly (Cases & { from: number; to: number })[];
}

/** Where a sequence loses most, and what is tried there first. */
export interface LargestDropOff {
  step: string;
  /** The share that left behind the step: leaving and converting compete, so whoever converted there has not left. */
  rate: number;
  interval: Interval;
  n: number;
  left: number;
  because: 'late_in_the_sequence' | 'time_of_day' | 'email' | 'other';
  advice: string;
  /** Whether it depends on the time of day; null: too few. */
  byHoursP: number | null;
  /** The part of the day behind which fewest leave, on the store’s clock; null: it does not depend on the time of day for certain. */
  bestHours: { from: number; to: number } | null;
}

/** Fewer are chance. */
const fewest = 20;

/**
 * The step behind which, for certain, most are lost: by the lower end of the interval, so that a small step does not lead by luck.
 * @returns null: nobody is lost behind a step that enough have had
 * Source: docs/rules.md#rule-115
 */
export function largestDropOff(steps: readonly StepExits[]): LargestDropOff | null {
  const [worst] = steps
    .flatMap((one) => {
      const interval = one.left > 0 && one.executed >= fewest ? wilsonInterval(one.left, one.executed) : null;
      return interval === null ? [] : [{ ...one, interval }];
    })
    .toSorted((a, b) => b.interval.low - a.interval.low || a.step.localeCompare(b.step));
  if (worst === undefined) return null;
  const byHours = (worst.byHours ?? []).filter(({ people }) => people >= fewest);
  const tested = byHours.length > 1 ? homogeneity(byHours) : null;
  const { because, advice, bestHours = null } = adviceFor(worst, tested !== null && tested.p < 0.01 ? byHours : []);
  const { step, executed, left, interval } = worst;
  return { step, rate: left / executed, interval, n: executed, left, because, advice, byHoursP: tested?.p ?? null, bestHours };
}

function adviceFor(
  { order, channels }: StepExits,
  byHours: readonly (Cases & { from: number; to: number })[],
): Pick<LargestDropOff, 'because' | 'advice'> & Partial<Pick<LargestDropOff, 'bestHours'>> {
  const rate = ({ converted, people }: Cases) => converted / people;
  const [best, ...others] = byHours.toSorted((a, b) => rate(a) - rate(b));
  const worst = others.at(-1);
  if (best !== undefined && worst !== undefined)
    return {
      because: 'time_of_day',
      bestHours: { from: best.from, to: best.to },
      advice: `Change the schedule: fewest leave where it goes out from ${best.from}:00 to ${best.to}:00 (${percent(rate(best))}), most from ${worst.from}:00 to ${worst.to}:00 (${percent(rate(worst))}).`,
    };
  if (order !== null && order >= 3)
    return { because: 'late_in_the_sequence', advice: 'The sequence may be too long: try it without what comes from here on.' };
  if (channels.includes('email')) return { because: 'email', advice: 'Try a text message in its place.' };
  return { because: 'other', advice: 'Try another delay or another hour.' };
}

const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
