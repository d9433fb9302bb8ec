import type { Item } from '../../../sdk/index.ts';
import { formatNumber } from '../../parts/format.ts';

export type Experiment = Item<'GET /api/experiments'>;
type Comparison = Experiment['comparisons'][number];

/** `2.3 points`, `1 point`. @param points - percentage points */
export const inPoints = (points: number): string => `${formatNumber(Number(points.toFixed(1)))} ${points.toFixed(1) === '1.0' ? 'point' : 'points'}`;

/** Where the difference lies, as far as it can: of 100 people no more than 100 order. @returns null where nothing may be said */
export function withinOf({ always_within: within }: Comparison): { low: number; high: number } | null {
  return within === null ? null : { low: Math.max(-100, within.low), high: Math.min(100, within.high) };
}

/** Whether nothing that the reader minds can lie between them: everything that the difference may be is within the band. */
export const isIndifferent = ({ no_difference_above: atMost }: Comparison, band: number): boolean => atMost !== null && atMost <= band;

/**
 * What a test says, in one sentence.
 * @param band - percentage points: a smaller difference is as good as none to the reader
 */
export function verdictOf(test: Experiment, band: number): string {
  const { status, winner, comparisons } = test;
  if (status === 'STOPPED') return 'Stopped before anything was certain.';
  if (winner !== null) return wonBy(test, winner);
  switch (test.goes_on_because) {
    case 'unsound':
      return 'Not to be trusted: the variants do not have as many people as they should, so something other than chance decides who gets which.';
    case 'too_young':
      return 'Too early to say: a test runs for a week and one whole window at least.';
    case 'too_few': {
      const fewest = Math.min(...test.arms.map(({ complete }) => complete));
      return `Too few people to say: each variant needs 50 whose time to order is over, and one has ${formatNumber(fewest)}.`;
    }
    case 'harm':
      return 'The variant that sells best makes something worse that it must not: opt-outs, complaints or refunds. It wins nothing.';
    case 'bandit':
      return 'No test: more people get what brings more, and nothing is judged. It goes on until somebody ends it.';
    default:
      if (comparisons.length > 0 && comparisons.every((one) => isIndifferent(one, band)))
        return `No difference that matters: whatever it is, it is below ${inPoints(Math.max(...comparisons.map((one) => one.no_difference_above ?? 0)))}.`;
      return 'Nothing is certain yet: the difference may still be on either side of zero, or too small to matter.';
  }
}

function wonBy({ arms, comparisons }: Experiment, winner: string): string {
  const [only] = comparisons;
  const within = only === undefined ? null : withinOf(only);
  if (arms.length !== 2 || only === undefined || within === null) return `${winner} sells better than each of the others.`;
  const other = only.variant === winner ? only.against : only.variant;
  const [low, high] = only.variant === winner ? [within.low, within.high] : [-within.high, -within.low];
  // Orders that were cancelled after the decision may take the certainty away again.
  if (low <= 0) return `${winner} sold better than ${other} when it was decided. Counted again now, it is not certain any more.`;
  const between = `${formatNumber(Number(low.toFixed(1)))} to ${formatNumber(Number(high.toFixed(1)))}`;
  return `${winner} sells better than ${other}: ${between} more orders from every 100 people.`;
}
