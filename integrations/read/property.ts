import type { Property } from '../../domain/chat/property.ts';
import { maxCount } from '../bounds.ts';
import { toMinor } from '../money.ts';
import { cleanText } from '../untrusted-text.ts';

/** A property as a source writes it. A price is a decimal amount: `415000`, `"415000.00"`. Times are ISO 8601. */
export type RawProperty = Partial<
  Record<'id' | 'title' | 'area' | 'price' | 'currency' | 'units_left' | 'url' | 'observed_at' | 'expires_at', unknown>
>;

/** Longer addresses would push the line about what is left out of the message. */
const longestUrl = 300;

const scalar = (value: unknown): string | null => (typeof value === 'string' || typeof value === 'number' ? String(value) : null);
const instantOf = (value: unknown): number | null => {
  const ms = typeof value === 'string' && /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
};

/**
 * Read one property. What cannot be understood of it is left out: without a clear price or number it is still a property.
 * @param times.observedAtMs - when it was so, where it does not say; null: it has to
 * @param times.validMs - for how long it is stated after that, where it does not say
 * @returns or why it is none
 */
export function readProperty(
  raw: RawProperty,
  times: { observedAtMs: number | null; validMs: number },
): { ok: true; property: Property } | { ok: false; reason: string } {
  const id = cleanText(scalar(raw.id), 100);
  const title = cleanText(scalar(raw.title), 120);
  if (id === null) return { ok: false, reason: 'has no id' };
  if (title === null) return { ok: false, reason: 'has no title' };
  const stated = raw.observed_at === undefined || raw.observed_at === null;
  const observedAtMs = stated ? times.observedAtMs : instantOf(raw.observed_at);
  if (observedAtMs === null) return { ok: false, reason: 'has no observed_at like 2026-11-20 or 2026-11-20T09:00:00Z' };
  const saysEnd = raw.expires_at !== undefined && raw.expires_at !== null;
  const expiresAtMs = saysEnd ? instantOf(raw.expires_at) : observedAtMs + times.validMs;
  if (expiresAtMs === null) return { ok: false, reason: 'has an expires_at that is no time like 2026-11-27' };
  const currency = cleanText(scalar(raw.currency), 3)?.toUpperCase() ?? null;
  const price = scalar(raw.price);
  const priceMinor = price === null || currency === null ? null : toMinor(price, currency, 'round');
  return {
    ok: true,
    property: {
      id,
      title,
      area: cleanText(scalar(raw.area), 100),
      ...(priceMinor === null || priceMinor < 0 ? { priceMinor: null, currency: null } : { priceMinor, currency }),
      unitsLeft: unitsOf(raw.units_left),
      url: urlOf(raw.url),
      observedAtMs,
      expiresAtMs,
    },
  };
}

/** A whole number of units. Anything else is not known, and then nothing is said about it. */
function unitsOf(value: unknown): number | null {
  const text = scalar(value)?.trim() ?? '';
  const units = /^\d{1,9}$/.test(text) ? Number(text) : null;
  return units !== null && units <= maxCount ? units : null;
}

function urlOf(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > longestUrl || !URL.canParse(value)) return null;
  const url = new URL(value);
  return (url.protocol === 'https:' || url.protocol === 'http:') && url.href.length <= longestUrl ? url.href : null;
}
