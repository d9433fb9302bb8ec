/** The languages of the reader, for numbers, money and dates. The words of the dashboard are English. */
const locales = [...navigator.languages];

const numbers = new Intl.NumberFormat(locales);
const compact = new Intl.NumberFormat(locales, { notation: 'compact', maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat(locales, { style: 'percent', maximumFractionDigits: 1 });
const dayTime = new Intl.DateTimeFormat(locales, { dateStyle: 'medium', timeStyle: 'short' });
const exact = new Intl.DateTimeFormat(locales, { dateStyle: 'full', timeStyle: 'long' });
const days = new Intl.DateTimeFormat(locales, { month: 'short', day: 'numeric' });
const clock = new Intl.DateTimeFormat(locales, { hour: '2-digit', minute: '2-digit' });
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' });
const currencies = new Map<string, Intl.NumberFormat>();

export const formatNumber = (value: number): string => numbers.format(value);
export const formatCompact = (value: number): string => (Math.abs(value) < 10_000 ? numbers.format(value) : compact.format(value));
/** `1 order`, `2 orders`. */
export const formatCount = (count: number, one: string, many: string): string => `${formatNumber(count)} ${count === 1 ? one : many}`;
/** @param share - 0 to 1 */
export const formatShare = (share: number): string => percent.format(share);
/** @param value - 0 to 100, as the figures of recovery have it */
export const formatPercent = (value: number): string => percent.format(value / 100);
export const formatDayTime = (iso: string): string => dayTime.format(new Date(iso));
export const formatExact = (iso: string): string => exact.format(new Date(iso));
export const formatClock = (iso: string | number): string => clock.format(new Date(iso));

/** @param day - `2026-11-29` or a time */
export const formatDay = (day: string): string => days.format(new Date(day.length === 10 ? `${day}T12:00:00` : day));

/** @param minor - in the currency's smallest unit */
export function formatMoney(minor: number, currency: string, { cents = true } = {}): string {
  const format = currencyFormat(currency);
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  const value = minor / 10 ** digits;
  if (cents) return format.format(value);
  return new Intl.NumberFormat(locales, { style: 'currency', currency, maximumFractionDigits: 0 }).format(value);
}

/** @param amount - in whole units, such as 18.5 */
export const formatAmount = (amount: number, currency: string): string => currencyFormat(currency).format(amount);

function currencyFormat(currency: string): Intl.NumberFormat {
  const known = currencies.get(currency);
  if (known !== undefined) return known;
  const format = new Intl.NumberFormat(locales, { style: 'currency', currency });
  currencies.set(currency, format);
  return format;
}

const units: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** `in 3 hr.`, `2 days ago`. */
export function formatFromNow(iso: string, nowMs: number): string {
  const seconds = (new Date(iso).getTime() - nowMs) / 1_000;
  for (const [unit, size] of units) if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit);
  return Math.abs(seconds) < 10 ? 'now' : relative.format(Math.round(seconds), 'second');
}

/** `3 d 4 h`, `5 min`, `12 s`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [d, h, m] = [Math.floor(whole / 86_400), Math.floor((whole % 86_400) / 3_600), Math.floor((whole % 3_600) / 60)];
  if (d > 0) return h > 0 ? `${d} d ${h} h` : `${d} d`;
  if (h > 0) return m > 0 ? `${h} h ${m} min` : `${h} h`;
  if (m > 0) return `${m} min`;
  return `${whole} s`;
}

/** `popup_1h` → `popup 1h`; `outcome_unknown` → `outcome unknown`. */
export const plain = (code: string): string => code.replaceAll(/[_-]+/g, ' ');
export const sentenceCase = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** `2026-11-22 08:00:00 UTC` and `2026-11-22 08:00 UTC`, as sentences of the API have it. */
const inUtc = /\b(\d{4}-\d\d-\d\d) (\d\d:\d\d)(:\d\d)? UTC\b/g;

/** A sentence of the API with its times as the reader writes them, in the zone of their device. */
export const inReadersTime = (sentence: string): string =>
  sentence.replaceAll(inUtc, (_, day: string, time: string, seconds: string | undefined) => formatDayTime(`${day}T${time}${seconds ?? ':00'}Z`));
