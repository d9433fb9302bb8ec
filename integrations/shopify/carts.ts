import type { CartOrigin, DomainEvent } from '../../domain/events.ts';
import { currencyWithin, readCurrency, readMoney } from '../read/money.ts';
import { type Fields, isAbsent, note } from '../read/notes.ts';
import { nobody } from '../read/person.ts';
import { readText } from '../read/text.ts';
import { cartKeys } from '../read/understood.ts';
import { readUrl } from '../read/url.ts';
import { optOuts } from './consent.ts';
import { type Lines, readLines } from './lines.ts';
import { readShopper } from './person.ts';
import { firstInstant, happenedAt, type Read, type Reading, readKeys } from './reading.ts';

/** What Shopify calls a checkout: a cart whose shopper has begun to pay. The first one has `email: null` and `shipping_address: []`. */
export const readCheckout: Read = (reading) => {
  const { body, notes, store } = reading;
  const shopper = readShopper(reading);
  const keys = cartKeys(readKeys(reading, { checkout_token: 'token', cart_token: 'cart_token', checkout_id: 'id' }), shopper.person, 'token', notes);
  if (keys.length === 0) return [];
  const occurred = happenedAt(reading, ['updated_at', 'created_at']);
  const currency = checkoutCurrency(reading);
  const lines = readLines(reading, currency);
  const total = currency === null ? null : readMoney(body['total_price'], 'total_price', notes, currency);
  const cart: DomainEvent = {
    type: 'cart.updated',
    ...occurred,
    keys,
    person: shopper.person,
    cart: {
      createdAtMs: createdAt(reading, occurred.occurredAtMs),
      ...contentOf(reading, lines, currency, total),
      restoreUrl: readUrl(body['abandoned_checkout_url'], 'abandoned_checkout_url', notes, store.url),
      origin: originOf(reading),
      completed: firstInstant(reading, ['completed_at']) !== null,
    },
  };
  // An opt-out on record comes first, so that the cart is decided with it.
  return [...optOuts(shopper.records, shopper.customer, occurred.occurredAtMs), cart];
};

/** A cart before checkout: no person, no currency but in its lines, no total. */
export const readCart: Read = (reading) => {
  const { body, notes } = reading;
  const [key] = readKeys(reading, { cart_token: isAbsent(body['token']) ? 'id' : 'token' });
  const keys = key === undefined ? readKeys(reading, { cart_token: 'id' }) : [key];
  if (keys.length === 0) return [];
  const occurred = happenedAt(reading, ['updated_at', 'created_at']);
  const raw = Array.isArray(body['line_items']) ? body['line_items'] : [];
  const named = raw.map(lineCurrency).find((code) => code !== null) ?? reading.store.currency;
  if (named === null && raw.length > 0) note(notes, 'line_items', 'name no currency: what they cost is not known');
  const lines = readLines(reading, named);
  return [
    {
      type: 'cart.updated',
      ...occurred,
      keys,
      person: nobody,
      cart: {
        createdAtMs: createdAt(reading, occurred.occurredAtMs),
        ...contentOf(reading, lines, named, lines?.totalMinor ?? null),
        restoreUrl: null,
        origin: null,
        completed: false,
      },
    },
  ];
};

/** All that is sent when a checkout is deleted: mostly just its number. */
export const readDeletedCheckout: Read = (reading) => {
  const keys = readKeys(reading, { checkout_token: 'token', checkout_id: 'id' });
  const stated = isAbsent(reading.body['updated_at']) ? [] : ['updated_at'];
  return keys.length === 0 ? [] : [{ type: 'cart.deleted', ...happenedAt(reading, stated), keys }];
};

function createdAt(reading: Reading, occurredAtMs: number): number {
  return Math.min(firstInstant(reading, ['created_at'])?.ms ?? occurredAtMs, occurredAtMs);
}

/** Amounts are in the currency that the shopper saw. */
function checkoutCurrency({ body, notes, store }: Reading): string | null {
  const shown = readCurrency(body['presentment_currency'], 'presentment_currency', notes);
  if (shown !== null) return shown;
  // An unreadable currency may be any: taking the shop's own would guess the value of everything.
  if (!isAbsent(body['presentment_currency']) && body['presentment_currency'] !== '') return null;
  const own = readCurrency(body['currency'], 'currency', notes) ?? currencyWithin(body['total_price']) ?? store.currency;
  if (own === null) note(notes, 'currency', 'is missing: what the cart costs is not known');
  return own;
}

function contentOf({ notes }: Reading, lines: Lines | null, currency: string | null, totalMinor: number | null) {
  // A cart whose list of lines is there and empty was emptied. ISO 4217 reserves XXX for "no currency".
  if (lines !== null && lines.items.length === 0) return { currency: currency ?? 'XXX', totalMinor: totalMinor ?? 0, items: [] };
  // Without a list nobody knows whether there is anything in it: a total of 0 would say that there is not.
  if (lines === null) return { currency, totalMinor: totalMinor === 0 ? null : totalMinor, items: [] };
  if (totalMinor === null && lines.totalMinor !== null) note(notes, 'total_price', 'is not known: the lines were summed');
  return { currency, totalMinor: totalMinor ?? lines.totalMinor, items: lines.items };
}

const moneySets = ['price_set', 'line_price_set', 'original_line_price_set', 'discounted_price_set'];

function lineCurrency(entry: unknown): string | null {
  if (typeof entry !== 'object' || entry === null) return null;
  for (const set of moneySets) {
    const money = (entry as Fields)[set];
    const shown = typeof money === 'object' && money !== null ? (money as Fields)['presentment_money'] : null;
    const named = typeof shown === 'object' && shown !== null ? readCurrency((shown as Fields)['currency_code'], set, []) : null;
    if (named !== null) return named;
  }
  return null;
}

// Shopify's own channels have names, or the numbers of the apps that they are.
const origins: Readonly<Record<string, CartOrigin>> = {
  web: 'web',
  online_store: 'web',
  checkout_one: 'web',
  buy_button: 'web',
  580111: 'web',
  pos: 'point_of_sale',
  iphone: 'point_of_sale',
  ipad: 'point_of_sale',
  android: 'point_of_sale',
  129785: 'point_of_sale',
  draft_order: 'draft',
  draft_orders: 'draft',
  shopify_draft_order: 'draft',
  1354745: 'draft',
};
const marketplaces =
  /^(?:amazon|ebay|tiktok|facebook|instagram|meta|google|youtube|pinterest|etsy|walmart|zalando|otto|kaufland|bol|mercado|rakuten|wish|snapchat)/;

/** Where the checkout was filled: its channel, else a till or a member of staff if it names one. */
function originOf(reading: Reading): CartOrigin | null {
  const { body, notes } = reading;
  const name = readText(body['source_name'], 'source_name', notes, 100)?.toLowerCase() ?? null;
  const known = name === null ? undefined : (origins[name] ?? (marketplaces.test(name) ? 'marketplace' : undefined));
  if (known !== undefined && known !== 'web') return known;
  if (isNumber(body['location_id'])) return 'point_of_sale';
  if (isNumber(body['user_id'])) return 'draft';
  return known ?? (name === null ? null : 'other');
}

function isNumber(value: unknown): boolean {
  return /^[1-9]\d*$/.test(typeof value === 'number' || typeof value === 'string' ? String(value) : '');
}
