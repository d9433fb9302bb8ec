import { readCurrency } from '../read/money.ts';
import { type Fields, isAbsent, note, readFields } from '../read/notes.ts';
import { cartKeys, occurredAt } from '../read/understood.ts';
import { readUrl } from '../read/url.ts';
import { readAmounts, readCartItems } from './lines.ts';
import { readShopper } from './person.ts';
import { given, type Read, type Reading, readNumber, readTime } from './reading.ts';

/** `rekindle.cart`, from the plugin: the cart as the Store API shows it, under the id that the plugin gave it. */
export const readCart: Read = (reading) => {
  const { body, notes, store } = reading;
  const cart = readFields(body['cart'], 'cart', notes);
  if (cart === null) note(notes, 'cart', 'is missing');
  const person = readShopper(reading, cart ?? {});
  const id = readNumber(body['id'], 'id', notes);
  const keys = cartKeys(id === null ? [] : [{ kind: 'external', value: id }], person, 'id', notes);
  if (keys.length === 0) return [];
  const occurred = occurredAt(readTime(reading, 'date_modified'), 'date_modified_gmt', notes, reading.receivedAtMs);
  const createdAtMs = Math.min(readTime(reading, 'date_created')?.ms ?? occurred.occurredAtMs, occurred.occurredAtMs);
  const restoreUrl = readUrl(given(body['restore_url']), 'restore_url', notes, store.url);
  const content = readContent(reading, cart ?? {});
  return [{ type: 'cart.updated', ...occurred, keys, person, cart: { createdAtMs, ...content, restoreUrl, origin: 'web', completed: false } }];
};

function readContent(reading: Reading, cart: Fields) {
  const { notes, store } = reading;
  const totals = readFields(cart['totals'], 'cart.totals', notes);
  const said = totals?.['currency_code'];
  const currency = readCurrency(said, 'cart.totals.currency_code', notes) ?? (isAbsent(said) ? store.currency : null);
  const totalMinor = totals === null ? null : readAmounts(totals, 'cart.totals', notes, currency)('total_price');
  const items = readCartItems(reading, cart, currency);
  // Without a list nobody knows whether there is anything in it; an empty one says that the cart was emptied.
  if (items === null) return { currency, totalMinor: totalMinor === 0 ? null : totalMinor, items: [] };
  if (items.length > 0) return { currency, totalMinor, items };
  return { currency: currency ?? 'XXX', totalMinor: totalMinor ?? 0, items };
}
