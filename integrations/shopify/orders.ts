import type { DomainEvent, NoRevenue } from '../../domain/events.ts';
import { currencyWithin, readCurrency, readMoney } from '../read/money.ts';
import { type Fields, isAbsent, note, readEntries, readFields, readList } from '../read/notes.ts';
import { namesSomebody } from '../read/person.ts';
import { readFlag, readText } from '../read/text.ts';
import { readCodes } from '../read/codes.ts';
import { readInstant } from '../read/instant.ts';
import { optOuts } from './consent.ts';
import { readProducts } from './lines.ts';
import { readShopper } from './person.ts';
import { firstInstant, happenedAt, type Read, type Reading, readKeys, readShopifyId } from './reading.ts';

/** `orders/create`, `orders/paid`: the order exists. */
export const readOrder: Read = (reading) => orderPlaced(reading, 'new');

/**
 * `orders/updated` and its relatives: how the order stands now, and once more that it was placed, so that a lost `orders/create` still stops.
 */
export const readOrderUpdate: Read = (reading) => {
  const { body, notes } = reading;
  const id = readShopifyId(body['id'], 'id', notes);
  const placed = orderPlaced(reading, 'changed');
  if (id === null) return placed;
  const currency = orderCurrency(reading);
  const events: DomainEvent[] = [...placed, updateOf(reading, id, currency, readRefunds(reading, currency))];
  return isCancelled(reading) ? [...events, cancellation(reading, id)] : events;
};

/** `orders/cancelled` carries the whole order: where it comes first, it stops like any order. */
export const readOrderCancelled: Read = (reading) => {
  const id = readShopifyId(reading.body['id'], 'id', reading.notes);
  const placed = orderPlaced(reading, 'changed');
  return id === null ? placed : [...placed, cancellation(reading, id)];
};

/** `refunds/create`: one refund, and of its order only the number. */
export const readRefund: Read = (reading) => {
  const { body, notes } = reading;
  const orderId = readShopifyId(body['order_id'], 'order_id', notes);
  if (orderId === null) return [];
  const currency = refundCurrency(body) ?? reading.store.currency;
  const refund = refundOf(reading, body, '', currency);
  return [
    {
      type: 'order.updated',
      ...happenedAt(reading, ['processed_at', 'created_at']),
      order: { externalId: orderId, currency, currentTotalMinor: null, refunds: refund === null ? [] : [refund] },
    },
  ];
};

/**
 * The order as it was placed: the same from every topic that carries it.
 * @param as - `new`: the body's state is the state in which the order was created
 */
function orderPlaced(reading: Reading, as: 'new' | 'changed'): DomainEvent[] {
  const { body, notes } = reading;
  const shopper = readShopper(reading);
  const keys = readKeys(reading, { checkout_token: 'checkout_token', cart_token: 'cart_token', checkout_id: 'checkout_id' });
  if (keys.length === 0 && !namesSomebody(shopper.person)) {
    note(notes, 'email', 'names nobody, nor does any other field');
    return [];
  }
  // `orders/paid` may come days after `orders/create`, by then with a later `updated_at`: the order counts from its creation, and must not stop a
  // younger cart.
  const occurred = happenedAt(reading, ['created_at', 'processed_at', 'updated_at'], false);
  const currency = orderCurrency(reading);
  const placed: DomainEvent = {
    type: 'order.placed',
    ...occurred,
    keys,
    person: shopper.person,
    order: {
      externalId: readShopifyId(body['id'], 'id', notes),
      currency,
      totalMinor: currency === null ? null : readMoney(body['total_price'], 'total_price', notes, currency),
      products: readProducts(reading),
      noRevenue: noRevenueOf(reading, as),
      ...readCodes(body['discount_codes'], 'discount_codes', notes),
    },
  };
  return [placed, ...optOuts(shopper.records, shopper.customer, occurred.occurredAtMs)];
}

/** An order's amounts are in the shop's currency. */
function orderCurrency({ body, notes, store }: Reading): string | null {
  const own = readCurrency(body['currency'], 'currency', notes);
  if (own !== null) return own;
  const shopMoney = shopMoneyOf(body['total_price_set']);
  const named = currencyWithin(shopMoney) ?? currencyWithin(body['total_price']);
  // An unreadable currency may be any.
  const guess = named ?? (isAbsent(body['currency']) ? store.currency : null);
  if (guess === null) note(notes, 'currency', 'is not known: nor is what the order is worth');
  return guess;
}

// A payment that is declined at once cancels the order it made within seconds; a merchant who cancels takes longer.
const bornWithinMs = 60_000;

function noRevenueOf(reading: Reading, as: 'new' | 'changed'): NoRevenue | null {
  const { body, notes } = reading;
  if (readFlag(body['test'], 'test', notes) === true) return 'test';
  const status = readText(body['financial_status'], 'financial_status', notes, 50)?.toLowerCase();
  const declined = reasonOf(reading) === 'declined' || status === 'voided';
  if (wasBornCancelled(reading, as)) return declined ? 'declined' : 'cancelled';
  return as === 'new' && declined ? 'declined' : null;
}

function wasBornCancelled(reading: Reading, as: 'new' | 'changed'): boolean {
  if (!isCancelled(reading)) return false;
  if (as === 'new' && reading.topic === 'orders/create') return true;
  const cancelledAt = firstInstant(reading, ['cancelled_at']);
  const createdAt = firstInstant(reading, ['created_at', 'processed_at']);
  return cancelledAt !== null && createdAt !== null && cancelledAt.ms - createdAt.ms <= bornWithinMs;
}

function isCancelled(reading: Reading): boolean {
  return firstInstant(reading, ['cancelled_at']) !== null || reasonOf(reading) !== null;
}

const cancelReasons = ['customer', 'fraud', 'inventory', 'declined', 'staff', 'other'];

function reasonOf({ body, notes }: Reading): string | null {
  const reason = readText(body['cancel_reason'], 'cancel_reason', notes, 50)?.toLowerCase() ?? null;
  if (reason !== null && !cancelReasons.includes(reason)) note(notes, 'cancel_reason', 'is no reason that we know: cancelled all the same');
  return reason;
}

function cancellation(reading: Reading, externalId: string): DomainEvent {
  return { type: 'order.cancelled', ...happenedAt(reading, ['cancelled_at', 'updated_at']), order: { externalId } };
}

type Refund = Extract<DomainEvent, { type: 'order.updated' }>['order']['refunds'][number];

function updateOf(reading: Reading, externalId: string, currency: string | null, refunds: Refund[]): DomainEvent {
  const { body, notes } = reading;
  const total = shopMoneyOf(body['current_total_price_set']) ?? body['current_total_price'];
  const currentTotalMinor = currency === null ? null : readMoney(total, 'current_total_price', notes, currency);
  return { type: 'order.updated', ...happenedAt(reading, ['updated_at', 'created_at']), order: { externalId, currency, currentTotalMinor, refunds } };
}

function readRefunds(reading: Reading, currency: string | null): Refund[] {
  return readEntries(reading.body['refunds'], 'refunds', reading.notes, 250, (fields, path) => refundOf(reading, fields, `${path}.`, currency)) ?? [];
}

/**
 * One refund: the money that went back by its successful transactions; where it has none, the sum of its lines and adjustments (an unpaid order is
 * refunded without money). A refund whose transactions have not succeeded yet is reported by a later update.
 */
function refundOf(reading: Reading, refund: Fields, path: string, currency: string | null): Refund | null {
  const { notes, store } = reading;
  const id = readShopifyId(refund['id'], `${path}id`, notes);
  if (id === null || currency === null) {
    note(notes, `${path}id`, 'a refund without id or currency: left out');
    return null;
  }
  const amountMinor = transactionsSum(reading, refund, path, currency) ?? linesSum(reading, refund, path, currency);
  if (amountMinor <= 0) return null;
  const at =
    readInstant(refund['processed_at'], `${path}processed_at`, notes, store.timeZone) ??
    readInstant(refund['created_at'], `${path}created_at`, notes, store.timeZone);
  const besidesTotalMinor = discrepancyOf(reading, refund, path, currency);
  return {
    id,
    amountMinor,
    atMs: Math.min(at?.ms ?? reading.receivedAtMs, reading.receivedAtMs),
    ...(besidesTotalMinor === 0 ? {} : { besidesTotalMinor }),
  };
}

/**
 * How much more was given back than the refunded lines come to; negative: less. `current_total_price` is the sum of the order's remaining lines and
 * does not include this difference.
 * Source: shopify.dev, objects Order (`currentTotalPrice`) and OrderAdjustment
 */
function discrepancyOf(reading: Reading, refund: Fields, path: string, currency: string): number {
  const parts: readonly [string, string][] = [
    ['amount', 'amount_set'],
    ['tax_amount', 'tax_amount_set'],
  ];
  const more = sumOf(reading, refund, `${path}order_adjustments`, parts, currency, (entry) => wordOf(entry['kind']) === 'refund_discrepancy');
  return more === 0 ? 0 : -more;
}

/** @returns null where the refund has no transactions, or some in a currency that is not the order's */
function transactionsSum(reading: Reading, refund: Fields, path: string, currency: string): number | null {
  const list = isAbsent(refund['transactions']) ? [] : (readList(refund['transactions'], `${path}transactions`, reading.notes, 100) ?? []);
  const transactions = list.flatMap((value, index): [Fields, string][] => {
    const fields = readFields(value, `${path}transactions.${index}`, reading.notes);
    return fields === null || wordOf(fields['kind']) !== 'refund' ? [] : [[fields, `${path}transactions.${index}`]];
  });
  if (transactions.length === 0) return null;
  let sum = 0;
  for (const [fields, at] of transactions) {
    if (wordOf(fields['status']) !== 'success') continue;
    const set = shopMoneyOf(fields['amount_set']);
    const paidIn = readCurrency(fields['currency'], `${at}.currency`, reading.notes);
    if (set === null && paidIn !== null && paidIn !== currency) return null;
    sum += Math.abs(readMoney(set ?? fields['amount'], `${at}.amount`, reading.notes, currency, { signed: true }) ?? 0);
  }
  return sum;
}

/** Adjustments are negative where more goes back, such as the shipping, and positive where less does. */
function linesSum(reading: Reading, refund: Fields, path: string, currency: string): number {
  const sum = (field: string, parts: readonly [string, string][]) => sumOf(reading, refund, `${path}${field}`, parts, currency);
  const lines = sum('refund_line_items', [
    ['subtotal', 'subtotal_set'],
    ['total_tax', 'total_tax_set'],
  ]);
  const adjustments = sum('order_adjustments', [
    ['amount', 'amount_set'],
    ['tax_amount', 'tax_amount_set'],
  ]);
  return lines - adjustments;
}

/** @param path - of a list in the refund @param parts - the plain amount and the one in both currencies, of each entry */
function sumOf(
  { notes }: Reading,
  refund: Fields,
  path: string,
  parts: readonly [string, string][],
  currency: string,
  counts: (entry: Fields) => boolean = () => true,
): number {
  const list = refund[path.split('.').at(-1) ?? ''];
  return (isAbsent(list) ? [] : (readList(list, path, notes, 500) ?? [])).reduce<number>((total, value, index) => {
    const fields = readFields(value, `${path}.${index}`, notes) ?? {};
    if (!counts(fields)) return total;
    return parts.reduce((all, [plain, set]) => {
      const amount = shopMoneyOf(fields[set]) ?? fields[plain];
      return all + (readMoney(amount, `${path}.${index}.${plain}`, notes, currency, { signed: true }) ?? 0);
    }, total);
  }, 0);
}

/** A refund on its own does not say the order's currency: its amounts do. */
function refundCurrency(refund: Fields): string | null {
  const entries = ['transactions', 'refund_line_items', 'order_adjustments'].flatMap((field) => {
    const list = refund[field];
    return Array.isArray(list) ? list.filter((entry): entry is Fields => typeof entry === 'object' && entry !== null) : [];
  });
  const sets = entries.flatMap((entry) => [entry['amount_set'], entry['subtotal_set']]).map((set) => currencyWithin(shopMoneyOf(set)));
  const plain = entries.map((entry) => readCurrency(entry['currency'], 'currency', []));
  return [...sets, ...plain].find((code) => code !== null) ?? null;
}

/** The half of `{ shop_money, presentment_money }` that is in the shop's currency. */
function shopMoneyOf(set: unknown): unknown {
  return typeof set === 'object' && set !== null ? ((set as Fields)['shop_money'] ?? null) : null;
}

function wordOf(value: unknown): string {
  return typeof value === 'string' ? value.trim().toLowerCase() : '';
}
