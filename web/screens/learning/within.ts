import { formatPercent } from '../../parts/format.ts';

/** `3.1% to 4.4%`; empty: nothing is known of it. @param interval - in percent */
export const within = (interval: { low: number; high: number } | null): string =>
  interval === null ? '' : `${formatPercent(interval.low)} to ${formatPercent(interval.high)}`;
