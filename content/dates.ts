import { dateTimeFormat } from './intl-formats.ts';
import { type Direction, isolate } from './plain-text.ts';

const styles = ['short', 'medium', 'long', 'full'] as const;
type DateStyle = (typeof styles)[number];

export function isDateStyle(style: unknown): style is DateStyle {
  return styles.some((known) => known === style);
}

/** Who reads it, and how the sentence runs in which it stands. */
interface Reader {
  locale: string;
  /** IANA; one that Intl does not know is taken as UTC. */
  timeZone: string;
  direction: Direction;
}

/**
 * A day as the reader writes it, in their calendar: `3 March 2026`, `۱۲ اسفند ۱۴۰۴`.
 * @param value - epoch milliseconds, or ISO 8601
 * @returns null where it is no time
 */
export function formatDate(value: unknown, style: DateStyle, { locale, timeZone, direction }: Reader): string | null {
  const time = typeof value === 'number' ? value : typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(new Date(time).getTime())) return null;
  return isolate(formatOf(style, locale, timeZone).format(time), direction);
}

function formatOf(dateStyle: DateStyle, locale: string, timeZone: string): Intl.DateTimeFormat {
  try {
    return dateTimeFormat(locale, { dateStyle, timeZone });
  } catch {
    return dateTimeFormat(locale, { dateStyle, timeZone: 'UTC' });
  }
}
