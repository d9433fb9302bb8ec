import { cartOrigins, type CartOrigin, type LineItem } from '../../domain/events.ts';
import { readInstant } from '../read/instant.ts';
import { currencyWithin, readCurrency, readMoney } from '../read/money.ts';
import { type Fields, isAbsent, type Notes, note, readEntries, readFields } from '../read/notes.ts';
import { namesSomebody } from '../read/person.ts';
import { readQuantity } from '../read/quantity.ts';
import { readFlag, readId, readText } from '../read/text.ts';
import { cartKeys } from '../read/understood.ts';
import { readUrl } from '../read/url.ts';
import { optOutsOf, readContact } from './person.ts';
import type { Read, Reading } from './reading.ts';

const mostLines = 250;

export const readCartUpdated: Read = (reading) => {
  const { data, notes, store, occurred } = reading;
  const cart = readFields(data['cart'], 'data.cart', notes);
  const currency = cart === null ? null : readEventCurrency(reading, cart, 'data.cart', 'total');
  const contact = readContact(reading, currency);
  if (cart === null) {
    // The event says nothing about a cart; keep what it says about the person.
    note(notes, 'data.cart', 'is missing');
    return namesSomebody(contact.person) ? [...optOutsOf(contact, occurred), { type: 'contact.updated', ...occurred, person: contact.person }] : [];
  }
  const id = readId(cart['id'], 'data.cart.id', notes);
  const keys = cartKeys(id === null ? [] : [{ kind: 'external', value: id }], contact.person, 'data.cart.id', notes);
  if (keys.length === 0) return [];
  const createdAt = readInstant(cart['created_at'], 'data.cart.created_at', notes, store.timeZone);
  return [
    ...optOutsOf(contact, occurred),
    {
      type: 'cart.updated',
      ...occurred,
      keys,
      person: contact.person,
      cart: {
        createdAtMs: Math.min(createdAt?.ms ?? occurred.occurredAtMs, occurred.occurredAtMs),
        ...readContent(reading, cart, currency),
        restoreUrl: readUrl(cart['restore_url'], 'data.cart.restore_url', notes, store.url),
        origin: readOrigin(reading, cart['origin']),
        completed: readFlag(cart['completed'], 'data.cart.completed', notes) === true,
      },
    },
  ];
};

/** The currency of an event's amounts: its own field, else that of its total, else the store's. */
export function readEventCurrency({ notes, store }: Reading, fields: Fields, path: string, total: string): string | null {
  const said = readCurrency(fields['currency'], `${path}.currency`, notes);
  if (said !== null) return said;
  // An unreadable currency may be any.
  const guess = currencyWithin(fields[total]) ?? (isAbsent(fields['currency']) ? store.currency : null);
  if (guess === null) note(notes, `${path}.currency`, 'is missing, so amounts are left out');
  return guess;
}

function readContent(reading: Reading, cart: Fields, currency: string | null) {
  const { notes } = reading;
  const items = readItems(reading, cart, currency);
  const said = currency === null ? null : readMoney(cart['total'], 'data.cart.total', notes, currency);
  // A cart whose list is there and empty was emptied. Without a list nobody knows whether there is anything in it.
  if (items === null) return { currency, totalMinor: said === 0 ? null : said, items: [] };
  if (items.length === 0) return { currency: currency ?? 'XXX', totalMinor: said ?? 0, items };
  if (said !== null) return { currency, totalMinor: said, items };
  const sum = sumOf(items);
  if (sum !== null) note(notes, 'data.cart.total', 'is not known: the items were summed');
  return { currency, totalMinor: sum, items };
}

function sumOf(items: readonly LineItem[]): number | null {
  let sum = 0;
  for (const { priceMinor, quantity } of items) {
    if (priceMinor === null) return null;
    sum += Math.round(priceMinor * quantity);
  }
  return Number.isSafeInteger(sum) ? sum : null;
}

/** @returns null where there is no list: then nothing is known about the content */
export function readItems(reading: Reading, owner: Fields, currency: string | null, at = 'data.cart'): LineItem[] | null {
  return readEntries(owner['items'], `${at}.items`, reading.notes, mostLines, (fields, path) => readItem(reading, fields, path, currency));
}

/** @returns null for a line of nothing: a quantity or a price of less than zero, as discounts are written */
function readItem({ notes, store }: Reading, line: Fields, path: string, currency: string | null): LineItem | null {
  const text = (field: string) => readText(line[field], `${path}.${field}`, notes, 500);
  const amount = (field: string, signed?: true) =>
    currency === null ? null : readMoney(line[field], `${path}.${field}`, notes, currency, signed === undefined ? {} : { signed });
  const quantity = readQuantity(line['quantity'], `${path}.quantity`, notes);
  if (quantity === null) return null;
  const price = amount('price', true);
  if (price !== null && price < 0) {
    note(notes, `${path}.price`, 'is below zero: the line was left out');
    return null;
  }
  const compareAt = amount('compare_at_price');
  const title = text('title') ?? text('name');
  if (title === null) note(notes, `${path}.title`, 'is missing');
  const variantId = readId(line['variant_id'], `${path}.variant_id`, notes);
  return {
    title: title ?? '',
    variant: text('variant'),
    quantity,
    priceMinor: price,
    compareAtMinor: compareAt !== null && price !== null && compareAt > price ? compareAt : null,
    productId: readId(line['product_id'], `${path}.product_id`, notes),
    ...(variantId === null ? {} : { variantId }),
    imageUrl: readUrl(line['image_url'], `${path}.image_url`, notes, store.url),
    productUrl: readUrl(line['product_url'], `${path}.product_url`, notes, store.url),
    stock: readStock(line['stock'], `${path}.stock`, notes),
  };
}

/** An oversold product counts as none. */
function readStock(value: unknown, path: string, notes: Notes): number | null {
  if (isAbsent(value)) return null;
  const stock = typeof value === 'number' || (typeof value === 'string' && value.trim() !== '') ? Number(value) : Number.NaN;
  if (Number.isFinite(stock) && Math.abs(stock) <= 1_000_000_000) return Math.max(0, Math.floor(stock));
  note(notes, path, 'is no count: left out');
  return null;
}

const originWords: Readonly<Record<string, CartOrigin>> = { pos: 'point_of_sale', online: 'web', shop: 'web', draft_order: 'draft' };

function readOrigin({ notes }: Reading, value: unknown): CartOrigin | null {
  const word =
    readText(value, 'data.cart.origin', notes, 50)
      ?.toLowerCase()
      .replace(/[\s-]+/g, '_') ?? null;
  if (word === null) return null;
  const known = cartOrigins.find((origin) => origin === word) ?? originWords[word] ?? null;
  if (known === null) note(notes, 'data.cart.origin', 'is no origin that we know: left out');
  return known;
}
