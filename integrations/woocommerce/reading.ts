import { decodeHTML } from 'entities';
import type { DomainEvent } from '../../domain/events.ts';
import type { StoreContext } from '../port.ts';
import { type Instant, readInstant } from '../read/instant.ts';
import { type MoneyRule, readMoney } from '../read/money.ts';
import type { Fields, Notes } from '../read/notes.ts';
import { readId, readText } from '../read/text.ts';

/** One delivery while it is read. */
export interface Reading {
  topic: string;
  body: Fields;
  notes: Notes;
  store: StoreContext;
  receivedAtMs: number;
}

/** The events in a body; empty: it identifies neither a person nor a subject. */
export type Read = (reading: Reading) => DomainEvent[];

/** WooCommerce writes an empty text where there is nothing. */
export function given(value: unknown): unknown {
  return value === '' ? null : value;
}

/** An id; WooCommerce writes 0 where there is none: a guest, a product without variations. */
export function readNumber(value: unknown, path: string, notes: Notes): string | null {
  return readId(value === 0 || value === '0' ? null : given(value), path, notes);
}

/** An amount of an order: WooCommerce's one separator is the decimal point, also before three digits. An empty text counts as missing. */
export function readAmount(value: unknown, path: string, notes: Notes, currency: string | null, rule: MoneyRule = {}): number | null {
  const isPlain = typeof value === 'string' && /^-?\d{1,15}(?:\.\d{1,10})?$/.test(value);
  return currency === null ? null : readMoney(isPlain ? Number(value) : given(value), path, notes, currency, rule);
}

/** Names of products and options are HTML: `Tea &amp; honey`. */
export function readName(value: unknown, path: string, notes: Notes, maxLength: number): string | null {
  return readText(typeof value === 'string' ? given(decodeHTML(value)) : value, path, notes, maxLength);
}

/** A time of `field`: `<field>_gmt` is UTC without an offset; `<field>` is the shop's wall clock. */
export function readTime({ body, notes, store }: Pick<Reading, 'body' | 'notes' | 'store'>, field: string): Instant | null {
  const utc = body[`${field}_gmt`];
  const stated = typeof utc === 'string' && /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d$/.test(utc) ? `${utc}Z` : given(utc);
  return readInstant(stated, `${field}_gmt`, notes, 'UTC') ?? readInstant(given(body[field]), field, notes, store.timeZone);
}
