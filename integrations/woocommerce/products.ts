import type { ReportedFact } from '../../domain/facts/report.ts';
import { minorDigits } from '../../domain/money.ts';
import { note } from '../read/notes.ts';
import { readCount } from '../read/text.ts';
import { occurredAt } from '../read/understood.ts';
import { given, type Read, type Reading, readAmount, readNumber, readTime } from './reading.ts';

/**
 * `product.created`, `product.updated`, `product.restored`: price, stock and ratings. Of a product with variations they are those of no variation,
 * so only its ratings are kept.
 */
export const readProduct: Read = (reading) => {
  const { body, notes } = reading;
  const id = readNumber(body['id'], 'id', notes);
  if (id === null) return [];
  const occurred = occurredAt(
    readTime(reading, 'date_modified') ?? readTime(reading, 'date_created'),
    'date_modified_gmt',
    notes,
    reading.receivedAtMs,
  );
  const common = { subject: id, source: null, observedAtMs: occurred.occurredAtMs, expiresAtMs: null };
  const isOne = body['type'] !== 'variable' && body['type'] !== 'grouped';
  const values = [
    { kind: 'stock' as const, value: isOne ? stockOf(reading) : null },
    { kind: 'price' as const, value: isOne ? priceOf(reading) : null },
    { kind: 'review' as const, value: reviewsOf(reading) },
  ];
  const facts = values.flatMap(({ kind, value }): ReportedFact[] => (value === null ? [] : [{ ...common, kind, value }]));
  if (facts.length > 0) return [{ type: 'facts.reported', ...occurred, of: 'connection', by: 'woocommerce', facts }];
  if (notes.length === 0) note(notes, 'body', 'states neither a price nor a stock');
  return [];
};

/** A product that may be sold without stock (backorders) is never scarce. */
function stockOf({ body }: Reading): { left: number } | null {
  const quantity = body['stock_quantity'];
  if (body['stock_status'] === 'outofstock') return { left: 0 };
  if (body['manage_stock'] !== true || body['backorders_allowed'] === true || typeof quantity !== 'number') return null;
  return { left: Math.min(Math.max(0, Math.floor(quantity)), 1_000_000_000) };
}

/** As it was entered, with tax or without: carts show it as the shop's settings say, so the two are not compared. */
function priceOf({ body, notes, store }: Reading): { price: string; currency: string; as_in_carts: boolean } | null {
  const minor = readAmount(body['price'], 'price', notes, store.currency);
  const digits = store.currency === null ? null : minorDigits(store.currency);
  if (minor === null || store.currency === null || digits === null) return null;
  return { price: (minor / 10 ** digits).toFixed(digits), currency: store.currency, as_in_carts: false };
}

function reviewsOf({ body, notes }: Reading): { average: number; count: number; quote: null; author: null } | null {
  const average = Number(given(body['average_rating']) ?? Number.NaN);
  const count = readCount(given(body['rating_count']), 'rating_count', notes);
  return count === null || count < 1 || !(average >= 1 && average <= 5) ? null : { average, count, quote: null, author: null };
}
