import type { LineItem, ProductRef } from '../../domain/events.ts';
import { readMoney } from '../read/money.ts';
import { type Fields, type Notes, note, readEntries, readFields, readList } from '../read/notes.ts';
import { readQuantity } from '../read/quantity.ts';
import { readCount } from '../read/text.ts';
import { readUrl } from '../read/url.ts';
import { given, readAmount, type Reading, readName, readNumber } from './reading.ts';

const mostLines = 500;

/** One line while it is read. */
interface Line {
  fields: Fields;
  path: string;
  quantity: number;
}

/** @returns null where there is no list: then nothing is known about the content */
function readEach<T>(notes: Notes, list: unknown, path: string, read: (line: Line) => T | null): T[] | null {
  return readEntries(list, path, notes, mostLines, (fields, at) => {
    const quantity = readQuantity(fields['quantity'], `${at}.quantity`, notes);
    return quantity === null ? null : read({ fields, path: at, quantity });
  });
}

/** The lines of an order. `total` and `subtotal` are of the whole line, after and before coupons, without the tax that the shop adds or contains. */
export function readOrderLines(reading: Reading, currency: string | null): LineItem[] | null {
  const { body, notes, store } = reading;
  // A price in the shop contains the tax where the shop's prices do.
  const withTax = body['prices_include_tax'] === true;
  return readEach(notes, body['line_items'], 'line_items', ({ fields, path, quantity }): LineItem => {
    const amount = (field: string) => readAmount(fields[field], `${path}.${field}`, notes, currency);
    const each = (field: string) => {
      const total = amount(field);
      return total === null ? null : Math.round((total + (withTax ? (amount(`${field}_tax`) ?? 0) : 0)) / quantity);
    };
    const priceMinor = each('total');
    const before = each('subtotal');
    const image = readFields(given(fields['image']), `${path}.image`, notes);
    return {
      title: readTitle(fields, path, notes),
      variant: null,
      quantity,
      priceMinor,
      compareAtMinor: higher(before, priceMinor),
      productId: readProductId(fields, path, notes),
      imageUrl: readUrl(given(image?.['src']), `${path}.image.src`, notes, store.url),
      productUrl: null,
      stock: null,
    };
  });
}

/** The products of an order, to be compared with those of carts. */
export function readProducts({ body, notes }: Reading): ProductRef[] {
  const refs = readEach(notes, body['line_items'], 'line_items', ({ fields, path }): ProductRef | null => {
    const title = readName(fields['name'], `${path}.name`, notes, 500) ?? '';
    const productId = readProductId(fields, path, notes);
    return title === '' && productId === null ? null : { title, productId };
  });
  return refs ?? [];
}

/** The items of the Store API's cart. Their amounts are in minor units of their own (`currency_minor_unit`). */
export function readCartItems({ notes, store }: Reading, cart: Fields, currency: string | null): LineItem[] | null {
  return readEach(notes, cart['items'], 'cart.items', ({ fields, path, quantity }): LineItem => {
    const price = readAmounts(fields['prices'], `${path}.prices`, notes, currency);
    const totals = readAmounts(fields['totals'], `${path}.totals`, notes, currency);
    const shown = price('price');
    const [net, gross] = [totals('line_total'), totals('line_subtotal')];
    // The shown price may contain tax, the line's totals do not: a coupon lowers both by the same part.
    const priceMinor = shown === null || net === null || gross === null || gross === 0 ? shown : Math.round((shown * Math.min(net, gross)) / gross);
    const [image] = readList(fields['images'], `${path}.images`, notes, 50) ?? [];
    const picture = readFields(image, `${path}.images.0`, notes);
    return {
      title: readTitle(fields, path, notes),
      variant: readVariant(fields, path, notes),
      quantity,
      priceMinor,
      compareAtMinor: higher(Math.max(shown ?? 0, price('regular_price') ?? 0), priceMinor),
      productId: readNumber(fields['id'], `${path}.id`, notes),
      imageUrl: readUrl(given(picture?.['thumbnail'] ?? picture?.['src']), `${path}.images.0`, notes, store.url),
      productUrl: readUrl(given(fields['permalink']), `${path}.permalink`, notes, store.url),
      stock: readCount(fields['low_stock_remaining'], `${path}.low_stock_remaining`, notes),
    };
  });
}

/** Amounts of the Store API: `{ price: "1800", currency_minor_unit: 2 }` is 18.00. */
export function readAmounts(value: unknown, path: string, notes: Notes, currency: string | null): (field: string) => number | null {
  const fields = readFields(value, path, notes);
  if (fields === null || currency === null) return () => null;
  const unit = fields['currency_minor_unit'];
  if (typeof unit !== 'number' || !Number.isInteger(unit) || unit < 0 || unit > 6) {
    note(notes, `${path}.currency_minor_unit`, 'is no number of decimals: the amounts are left out');
    return () => null;
  }
  return (field) => {
    const minor = given(fields[field]);
    const isWhole = typeof minor === 'number' ? Number.isInteger(minor) : typeof minor === 'string' && /^-?\d{1,15}$/.test(minor);
    return readMoney(isWhole ? Number(minor) / 10 ** unit : minor, `${path}.${field}`, notes, currency);
  };
}

function readTitle(fields: Fields, path: string, notes: Notes): string {
  const title = readName(fields['name'], `${path}.name`, notes, 500);
  if (title === null) note(notes, `${path}.name`, 'is missing');
  return title ?? '';
}

/** The variation that was chosen, which the Store API calls `id` and an order `variation_id`. */
function readProductId(fields: Fields, path: string, notes: Notes): string | null {
  return readNumber(fields['variation_id'], `${path}.variation_id`, notes) ?? readNumber(fields['product_id'], `${path}.product_id`, notes);
}

function readVariant(fields: Fields, path: string, notes: Notes): string | null {
  const values =
    readEntries(fields['variation'], `${path}.variation`, notes, 20, (option, at) => readName(option['value'], `${at}.value`, notes, 200)) ?? [];
  return values.length === 0 ? null : values.join(' / ').slice(0, 500);
}

/** What one cost before, where that is more. */
function higher(before: number | null, nowMinor: number | null): number | null {
  return before !== null && nowMinor !== null && before > nowMinor ? before : null;
}
