import { asciiDigits } from '../../domain/ascii-digits.ts';
import { withoutInvisible } from '../../domain/people/identity.ts';
import type { EpochMs } from '../../domain/sequence/plan.ts';
import { offsetMsAt } from '../../domain/time/zones.ts';
import { isPlausibleInstant } from '../bounds.ts';
import { readTimeZone } from './locale.ts';
import { isAbsent, type Notes, note } from './notes.ts';

/** A time and the precision in which it was written. */
export interface Instant {
  ms: EpochMs;
  /** It has no fraction of the second. */
  toTheSecond: boolean;
}

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/**
 * A point in time: ISO 8601, as SQL and PHP write it, RFC 2822, Unix seconds or milliseconds, PHP's `{ date, timezone }`. One without an
 * offset is a wall clock's in the store's zone; one without a time of day is the day's beginning.
 * @returns null where there is none, and for times that no shop's clock shows (before 2000, from 2100 on)
 */
export function readInstant(value: unknown, path: string, notes: Notes, timeZone: string): Instant | null {
  if (isAbsent(value)) return null;
  if (typeof value === 'string' && withoutInvisible(value) === '') {
    note(notes, path, 'is empty: left out');
    return null;
  }
  const found = instantOf(value, timeZone);
  if (found === null) {
    note(notes, path, 'is no time: left out');
    return null;
  }
  if (!isPlausibleInstant(found.ms)) {
    note(notes, path, 'is no time of our age (2000 to 2099): left out');
    return null;
  }
  if (found.assumed) note(notes, path, "has no offset: read in the store's time zone");
  return { ms: found.ms, toTheSecond: found.toTheSecond };
}

type Found = Instant & { assumed: boolean };

function instantOf(value: unknown, timeZone: string): Found | null {
  if (typeof value === 'number') return ofUnix(value, !Number.isInteger(value));
  if (typeof value === 'string') return ofText(asciiDigits(withoutInvisible(value)), timeZone);
  if (typeof value !== 'object' || value === null) return null;
  // As PHP's json_encode writes a DateTime, and MongoDB a date.
  const fields = value as Record<string, unknown>;
  if (typeof fields['date'] === 'string') {
    const zone = typeof fields['timezone'] === 'string' ? fields['timezone'] : '';
    const offset = /^[+-]\d{2}:?\d{2}$/.test(zone);
    const named = offset || zone === '' ? null : readTimeZone(zone, '', []);
    const found = ofText(offset ? fields['date'] + zone : fields['date'], named ?? timeZone);
    return found !== null && named !== null ? { ...found, assumed: false } : found;
  }
  return '$date' in fields ? instantOf(fields['$date'], timeZone) : null;
}

/** Seconds up to the year 5138, milliseconds from 1973 on. */
function ofUnix(value: number, fine: boolean): Found | null {
  const isSeconds = Math.abs(value) < 1e11;
  const ms = Math.round(isSeconds ? value * 1_000 : value);
  return Number.isFinite(ms) ? { ms, toTheSecond: isSeconds && !fine, assumed: false } : null;
}

function ofText(text: string, timeZone: string): Found | null {
  if (text.length > 80) return null;
  if (/^\d{8}$/.test(text)) return ofParts([text.slice(0, 4), text.slice(4, 6), text.slice(6)], [], '', '', timeZone);
  if (/^\d{9,13}(?:\.\d{1,9})?$/.test(text)) return ofUnix(Number(text), text.includes('.'));
  const iso =
    /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[Tt\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,12}))?)?\s*(.*))?$/.exec(text) ??
    /^(\d{4})(\d{2})(\d{2})[Tt](\d{2})(\d{2})(\d{2})?(?:[.,](\d{1,12}))?(.*)$/.exec(text);
  if (iso !== null) {
    const [, year = '', month = '', day = '', hour, minute, second, fraction = '', zone = ''] = iso;
    return ofParts([year, month, day], [hour, minute, second], fraction, zone, timeZone);
  }
  // Dates with full stops are European, day first; with slashes they may be either.
  const european = /^(\d{1,2})\.(\d{1,2})\.(\d{4})(?:,?\s+(\d{1,2}):(\d{2})(?::(\d{2}))?)?$/.exec(text);
  if (european !== null) {
    const [, day = '', month = '', year = '', hour, minute, second] = european;
    return ofParts([year, month, day], [hour, minute, second], '', '', timeZone);
  }
  // RFC 2822, and what JavaScript's Date writes.
  const mail =
    /^(?:[a-z]{3,9},?\s+)?(\d{1,2})[\s-]([a-z]{3})[a-z]*[\s-](\d{4})\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*(.*)$/i.exec(text) ??
    reordered(/^(?:[a-z]{3,9},?\s+)?([a-z]{3})[a-z]*\s+(\d{1,2}),?\s+(\d{4})\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*(.*)$/i.exec(text));
  if (mail === null) return null;
  const [, day = '', monthName = '', year = '', hour, minute, second, zone = ''] = mail;
  const month = monthNames.indexOf(monthName.toLowerCase()) + 1;
  return month === 0 ? null : ofParts([year, String(month), day], [hour, minute, second], '', zone, timeZone);
}

function reordered(found: RegExpExecArray | null): string[] | null {
  if (found === null) return null;
  const [all, month, day, ...rest] = found;
  return [all, day ?? '', month ?? '', ...rest];
}

function ofParts(
  [year, month, day]: [string, string, string],
  [hour = '0', minute = '0', second = '0']: (string | undefined)[],
  fraction: string,
  zone: string,
  timeZone: string,
): Found | null {
  const parts = [Number(year), Number(month), Number(day), Number(hour), Number(minute), Number(second)] as const;
  const localMs = Date.UTC(parts[0], parts[1] - 1, ...parts.slice(2)) + Number(fraction.slice(0, 3).padEnd(3, '0'));
  const read = new Date(localMs);
  // Date.UTC turns 31 February into March, and 24:00 into the next day, which ISO 8601 allows.
  if (read.getUTCMonth() !== parts[1] - 1 && parts[3] !== 24) return null;
  if (parts[1] < 1 || parts[1] > 12 || parts[2] < 1 || parts[2] > 31 || parts[3] > 24 || parts[4] > 59 || parts[5] > 60) return null;
  const offsetMs = offsetOf(zone.trim());
  if (offsetMs === undefined) return null;
  const named = typeof offsetMs === 'string' ? offsetMs : timeZone;
  const ms = typeof offsetMs === 'number' ? localMs - offsetMs : ofWallClock(localMs, named);
  return { ms, toTheSecond: fraction === '', assumed: offsetMs === null };
}

/** @returns milliseconds, the name of a zone, null for none, undefined for what is neither */
function offsetOf(zone: string): number | string | null | undefined {
  // `GMT+0100 (Central European Standard Time)`, `+00:00[UTC]`
  const text = zone.replace(/\s*[([].*$/, '').replace(/^(?:GMT|UTC)(?=[+-])/i, '');
  const bracketed = /^\[([\w/+-]+)\]$/.exec(zone)?.[1];
  if (text === '') return bracketed === undefined ? null : (readTimeZone(bracketed, '', []) ?? undefined);
  if (/^(?:Z|GMT|UTC|UT)$/i.test(text)) return 0;
  const offset = /^([+-])(\d{2}):?(\d{2})?(?::?\d{2})?$/.exec(text);
  if (offset === null) return readTimeZone(text, '', []) ?? undefined;
  const minutes = Number(offset[2]) * 60 + Number(offset[3] ?? 0);
  return minutes > 18 * 60 ? undefined : (offset[1] === '-' ? -1 : 1) * minutes * 60_000;
}

/** The instant at which a wall clock of that zone shows it: of an hour that comes twice the first, of one that is skipped the time after it. */
function ofWallClock(localMs: EpochMs, timeZone: string): EpochMs {
  const before = offsetMsAt(timeZone, localMs - 24 * 3_600_000);
  const after = offsetMsAt(timeZone, localMs + 24 * 3_600_000);
  const early = localMs - Math.max(before, after);
  if (offsetMsAt(timeZone, early) === Math.max(before, after)) return early;
  return localMs - Math.min(before, after);
}
