import type { Quality } from '../../domain/risk/quality.ts';
import type { ReliabilityBin } from '../../domain/risk/reliability.ts';
import type { Interval } from '../../domain/statistics/interval.ts';
import { wilsonInterval } from '../../domain/statistics/proportions.ts';

export interface ReliabilityView extends ReliabilityBin {
  /** Of its examples, the share that was lost. */
  share: number;
  /** Where the true share lies, 95 times of 100. */
  interval: Interval;
}

/** The chances of a model beside what came of them. @returns null: it was judged by a build that did not count them */
export function reliabilityView({ reliability }: Quality): ReliabilityView[] | null {
  if (reliability === undefined) return null;
  return reliability.map((bin) => ({
    ...bin,
    share: bin.lost / bin.examples,
    interval: wilsonInterval(bin.lost, bin.examples) ?? { low: 0, high: 1 },
  }));
}
