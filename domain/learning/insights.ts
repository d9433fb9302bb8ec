import type { Interval } from '../statistics/interval.ts';
import type { DelayAnalysis } from './delays.ts';
import type { LargestDropOff } from './drop-off.ts';
import type { Feature } from './features.ts';
import type { Placed } from './leaderboard.ts';
import type { Findings } from './phrases.ts';

/** A sentence about what was learned, with how many cases it rests on. */
export interface Insight {
  about: 'words' | 'delay' | 'channel' | 'drop_off' | 'hour';
  sentence: string;
  /** What is counted by it is said by the sentence’s source. */
  n: number;
  interval: Interval | null;
}

const quoted = ({ kind, text }: Feature): string => {
  if (kind === 'length') return 'longer texts';
  if (kind === 'opening') return `“${text}” in the first sentence`;
  return kind === 'closing' ? `“${text}” in the last sentence` : `“${text}”`;
};

const signed = (share: number) => `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(0)} %`;
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** The surest word, phrase, place or length of a channel in either direction. */
export function wordInsights(channel: string, { better, worse }: Findings): Insight[] {
  return [...better.slice(0, 1), ...worse.slice(0, 1)].map((finding) => ({
    about: 'words' as const,
    sentence: `On ${channel}, texts do ${finding.lift > 0 ? 'better' : 'worse'} with ${quoted(finding)}: ${signed(finding.lift)} on average in ${finding.tests} tests (adjusted p = ${(finding.p ?? 1).toPrecision(2)}).`,
    n: finding.tests,
    interval: finding.interval,
  }));
}

export function delayInsight(suggestion: string | null, { better, arms: [own] }: DelayAnalysis): Insight[] {
  if (suggestion === null || better === null || own === undefined) return [];
  return [{ about: 'delay', sentence: suggestion, n: own.arm.people + better.arm.people, interval: better.lift?.interval ?? null }];
}

/** @param channels - as they are placed */
export function channelInsight(channels: readonly Placed[]): Insight[] {
  const [best, second] = channels;
  if (best === undefined || second === undefined) return [];
  const isClear = best.interval !== null && second.interval !== null && best.interval.low > second.interval.high;
  const { rate, people: n, interval, name } = best;
  const beside = `${percent(rate)} of its messages were followed by a conversion before the next message, ${percent(second.rate)} on ${second.name}`;
  const sentence = isClear
    ? `Most convert after ${name}: ${beside}. It was not drawn by chance who got which.`
    : `No channel is clearly ahead: after ${name}, ${beside}.`;
  return [{ about: 'channel', sentence, n, interval }];
}

/** @param sequence - its name, as people call it */
export function dropOffInsight(sequence: string, largest: LargestDropOff | null): Insight[] {
  if (largest === null) return [];
  const { step, rate, n, interval, advice } = largest;
  return [
    {
      about: 'drop_off',
      sentence: `“${sequence}” loses most behind step ${step}: ${percent(rate)} of those who got it left. ${advice}`,
      n,
      interval,
    },
  ];
}
