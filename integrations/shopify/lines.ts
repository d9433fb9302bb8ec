import type { LineItem, ProductRef } from '../../domain/events.ts';
import { readMoney } from '../read/money.ts';
import { type Fields, isAbsent, note, readEntries, readFields, readList } from '../read/notes.ts';
import { readQuantity } from '../read/quantity.ts';
import { readText } from '../read/text.ts';
import { readUrl } from '../read/url.ts';
import { type Reading, readShopifyId } from './reading.ts';

const mostLines = 500;

/** The usable lines of a checkout or cart. */
export interface Lines {
  items: LineItem[];
  /** Their sum; null: the price of some is not known. */
  totalMinor: number | null;
}

/** @returns null where the body has no list of lines: then nothing is known about the content */
export function readLines(reading: Reading, currency: string | null): Lines | null {
  const lines = readEntries(reading.body['line_items'], 'line_items', reading.notes, mostLines, (fields, path) => {
    const quantity = readQuantity(fields['quantity'], `${path}.quantity`, reading.notes);
    const price = quantity === null ? null : readPrice(reading, fields, path, quantity, currency);
    if (quantity === null || price === null || price === 'negative') return null;
    return { item: itemOf(reading, fields, path, quantity, price), lineMinor: price.lineMinor };
  });
  if (lines === null) return null;
  const totalMinor = lines.reduce<number | null>((sum, { lineMinor }) => (sum === null || lineMinor === null ? null : sum + lineMinor), 0);
  return { items: lines.map(({ item }) => item), totalMinor: totalMinor !== null && Number.isSafeInteger(totalMinor) ? totalMinor : null };
}

interface Price {
  unitMinor: number | null;
  compareAtMinor: number | null;
  lineMinor: number | null;
}

/** What one costs after the line's discounts, and before. `negative`: the line is a discount, which the total contains already. */
function readPrice(reading: Reading, line: Fields, path: string, quantity: number, currency: string | null): Price | 'negative' {
  if (currency === null) return { unitMinor: null, compareAtMinor: null, lineMinor: null };
  const amount = (field: string, signed?: true) =>
    readMoney(line[field], `${path}.${field}`, reading.notes, currency, signed === undefined ? {} : { signed });
  const price = firstOf(['price', 'variant_price', 'original_price'], (field) => amount(field, true));
  if (price !== null && price < 0) {
    note(reading.notes, `${path}.price`, 'is below zero: the line was left out');
    return 'negative';
  }
  const lineMinor = price === null ? amount('line_price') : afterDiscounts(reading, line, path, Math.round(price * quantity), currency, quantity);
  const unitMinor = lineMinor === null ? null : lineMinor === Math.round((price ?? -1) * quantity) ? price : Math.round(lineMinor / quantity);
  const before = Math.max(price ?? 0, amount('compare_at_price') ?? 0, amount('original_price') ?? 0);
  return { unitMinor, compareAtMinor: unitMinor !== null && before > unitMinor ? before : null, lineMinor };
}

function firstOf<T>(fields: readonly string[], read: (field: string) => T | null): T | null {
  for (const field of fields) {
    const found = read(field);
    if (found !== null) return found;
  }
  return null;
}

/** Shopify states a line's discounts in several fields, not always in all of them: the largest reduction includes all. */
function afterDiscounts(reading: Reading, line: Fields, path: string, grossMinor: number, currency: string, quantity: number): number {
  const amount = (field: string) => readMoney(line[field], `${path}.${field}`, reading.notes, currency);
  const sumOf = (field: string) =>
    (isAbsent(line[field]) ? [] : (readList(line[field], `${path}.${field}`, reading.notes, 50) ?? []))
      .map((entry, index) => {
        const at = `${path}.${field}.${index}`;
        return readMoney(readFields(entry, at, reading.notes)?.['amount'], `${at}.amount`, reading.notes, currency) ?? 0;
      })
      .reduce((sum, minor) => sum + minor, 0);
  const discounted = amount('discounted_price');
  const linePrice = amount('line_price');
  const reductions: [string, number][] = [
    ['discount_allocations', sumOf('discount_allocations')],
    ['applied_discounts', sumOf('applied_discounts')],
    ['total_discount', amount('total_discount') ?? 0],
    ['discounted_price', discounted === null ? 0 : grossMinor - Math.round(discounted * quantity)],
    ['line_price', linePrice === null ? 0 : grossMinor - linePrice],
  ];
  let most = 0;
  for (const [field, reduction] of reductions) {
    if (reduction > grossMinor) note(reading.notes, `${path}.${field}`, 'is more than the line costs: left out');
    else most = Math.max(most, reduction);
  }
  return grossMinor - most;
}

function itemOf({ notes, store }: Reading, line: Fields, path: string, quantity: number, price: Price): LineItem {
  // Shopify writes an empty text for a product without variants.
  const text = (field: string) => readText(line[field] === '' ? null : line[field], `${path}.${field}`, notes, 500);
  const title = firstOf(['presentment_title', 'title', 'name', 'sku'], text);
  if (title === null) note(notes, `${path}.title`, 'is missing');
  const variantId = readShopifyId(line['variant_id'], `${path}.variant_id`, notes);
  return {
    title: title ?? '',
    variant: firstOf(['presentment_variant_title', 'variant_title'], text),
    quantity,
    priceMinor: price.unitMinor,
    compareAtMinor: price.compareAtMinor,
    productId: readShopifyId(line['product_id'], `${path}.product_id`, notes),
    ...(variantId === null ? {} : { variantId }),
    imageUrl: imageOf(line, path, { notes, store }),
    productUrl: firstOf(['product_url', 'url'], (field) => readUrl(line[field], `${path}.${field}`, notes, store.url)),
    stock: null,
  };
}

function imageOf(line: Fields, path: string, { notes, store }: Pick<Reading, 'notes' | 'store'>): string | null {
  const inside = (value: unknown, field: string): [unknown, string] =>
    typeof value === 'object' && value !== null
      ? [(value as Fields)['url'] ?? (value as Fields)['src'], `${path}.${field}.url`]
      : [value, `${path}.${field}`];
  for (const [value, at] of [
    [line['image_url'], `${path}.image_url`] as const,
    inside(line['featured_image'], 'featured_image'),
    inside(line['image'], 'image'),
  ]) {
    const found = readUrl(value, at, notes, store.url);
    if (found !== null) return found;
  }
  return null;
}

/** The products of an order, to be compared with those of carts. */
export function readProducts(reading: Reading): ProductRef[] {
  const products = readEntries(reading.body['line_items'], 'line_items', reading.notes, mostLines, (line, path): ProductRef | null => {
    const title = firstOf(['title', 'name'], (field) => readText(line[field], `${path}.${field}`, reading.notes, 500)) ?? '';
    const productId = readShopifyId(line['product_id'], `${path}.product_id`, reading.notes);
    return title === '' && productId === null ? null : { title, productId };
  });
  return products ?? [];
}
