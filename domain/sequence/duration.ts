const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

function isUnit(text: string | undefined): text is keyof typeof unitMs {
  return text !== undefined && text in unitMs;
}

/** Longest span that a sequence may name. Timers of years are mistakes, not plans. */
const longestMs = 366 * unitMs.d;

/**
 * Read a span as sequences write it: a whole number and one of `s`, `m`, `h`, `d`, e.g. `45s`, `30m`, `24h`, `3d`.
 * @returns milliseconds, or null where the text is no span of at most 366 days
 */
export function parseDuration(text: string): number | null {
  const [, digits, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (digits === undefined || !isUnit(unit)) return null;
  const spanMs = Number(digits) * unitMs[unit];
  return spanMs <= longestMs ? spanMs : null;
}

/**
 * A span for people, in the largest unit that divides it: 5,400,000 → `90m`. Anything finer than a second is rounded to one.
 * @param spanMs - milliseconds, not negative
 */
export function formatDuration(spanMs: number): string {
  const seconds = Math.round(spanMs / unitMs.s);
  if (seconds === 0) return '0s';
  const wholeMs = seconds * unitMs.s;
  if (wholeMs % unitMs.d === 0) return `${wholeMs / unitMs.d}d`;
  if (wholeMs % unitMs.h === 0) return `${wholeMs / unitMs.h}h`;
  if (wholeMs % unitMs.m === 0) return `${wholeMs / unitMs.m}m`;
  return `${seconds}s`;
}
