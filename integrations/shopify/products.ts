import { minorDigits } from '../../domain/money.ts';
import type { ReportedFact } from '../../domain/facts/report.ts';
import { readMoney } from '../read/money.ts';
import { type Fields, isAbsent, note, readEntries } from '../read/notes.ts';
import { happenedAt, type Read, type Reading, readShopifyId } from './reading.ts';

// Shopify allows 2,048 variants of one product.
const mostVariants = 2_048;

/**
 * `products/create`, `products/update`: what each variant costs and how many can be bought. A product with one variant is known by its own id too.
 * Nothing is stated about the stock of what is not tracked, or is sold when there is none: then no number is scarce.
 */
export const readProduct: Read = (reading) => {
  const { body, notes } = reading;
  const productId = readShopifyId(body['id'], 'id', notes);
  const variants = readEntries(body['variants'], 'variants', notes, mostVariants, (fields, path) => readVariant(reading, fields, path)) ?? [];
  const [only] = variants;
  const own = productId !== null && only !== undefined && variants.length === 1 ? [{ ...only, id: productId }] : [];
  const occurred = happenedAt(reading, ['updated_at', 'created_at']);
  const facts = [...variants, ...own].flatMap(({ id, left, price }): ReportedFact[] => {
    const common = { subject: id, source: null, observedAtMs: occurred.occurredAtMs, expiresAtMs: null };
    return [
      ...(left === null ? [] : [{ ...common, kind: 'stock' as const, value: { left } }]),
      ...(price === null ? [] : [{ ...common, kind: 'price' as const, value: price }]),
    ];
  });
  if (facts.length > 0) return [{ type: 'facts.reported', ...occurred, of: 'connection', by: 'shopify', facts }];
  if (notes.length === 0) note(notes, 'variants', 'state neither a price nor a stock');
  return [];
};

interface Variant {
  id: string;
  left: number | null;
  price: { price: string; currency: string; as_in_carts: boolean } | null;
}

function readVariant({ notes, store }: Reading, fields: Fields, path: string): Variant | null {
  const id = readShopifyId(fields['id'], `${path}.id`, notes);
  if (id === null) return null;
  const digits = store.currency === null ? null : minorDigits(store.currency);
  const minor = digits === null ? null : readMoney(fields['price'], `${path}.price`, notes, store.currency);
  const price =
    minor === null || digits === null || store.currency === null
      ? null
      : { price: (minor / 10 ** digits).toFixed(digits), currency: store.currency, as_in_carts: true };
  return { id, left: readLeft(fields), price };
}

/** The sum over all locations; null: it is not tracked, or sold without end. */
function readLeft(fields: Fields): number | null {
  const { inventory_quantity: quantity, inventory_policy: policy } = fields;
  // `null` means untracked. Where the field is missing, only a positive number shows that somebody counts.
  const untracked = 'inventory_management' in fields ? isAbsent(fields['inventory_management']) : !(typeof quantity === 'number' && quantity > 0);
  if (untracked || policy === 'continue' || typeof quantity !== 'number' || !Number.isInteger(quantity)) return null;
  return Math.min(Math.max(0, quantity), 1_000_000_000);
}
