import type { ReportedConsent } from '../../domain/events.ts';
import { readCurrency } from '../read/money.ts';
import { type Fields, isAbsent, note, readFields } from '../read/notes.ts';
import { namesSomebody } from '../read/person.ts';
import { readFlag, readText } from '../read/text.ts';
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
  const shopper = readShopper(reading, cart ?? {});
  const person = { ...shopper, consents: namesSomebody(shopper) ? readMarketing(reading) : [] };
  const id = readNumber(body['id'], 'id', notes);
  const keys = cartKeys(id === null ? [] : [{ kind: 'external', value: id }], person, 'id', notes);
  if (keys.length === 0) return [];
  const occurred = occurredAt(readTime(reading, 'date_modified'), 'date_modified_gmt', notes, reading.receivedAtMs);
  const createdAtMs = Math.min(readTime(reading, 'date_created')?.ms ?? occurred.occurredAtMs, occurred.occurredAtMs);
  const restoreUrl = readUrl(given(body['restore_url']), 'restore_url', notes, store.url);
  const content = readContent(reading, cart ?? {});
  return [{ type: 'cart.updated', ...occurred, keys, person, cart: { createdAtMs, ...content, restoreUrl, origin: 'web', completed: false } }];
};

/**
 * The box at the checkout, as the plugin tells it: `{ email: true, sms: false, wording: '…' }`. Left as it was, it says nothing.
 * Source: docs/rules.md#rule-14
 */
function readMarketing({ body, notes }: Reading): ReportedConsent[] {
  const said = readFields(body['marketing'], 'marketing', notes);
  if (said === null) return [];
  const wording = readText(given(said['wording']), 'marketing.wording', notes, 1_000);
  return (['email', 'sms'] as const)
    .filter((channel) => readFlag(given(said[channel]), `marketing.${channel}`, notes) === true)
    .map((channel) => ({ channel, state: 'granted', basis: 'box', atMs: null, ...(wording === null ? {} : { wording }) }));
}

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
