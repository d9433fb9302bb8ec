import type { CartOrigin, DomainEvent, OrderRefund, SubjectKey } from '../../domain/events.ts';
import type { Instant } from '../read/instant.ts';
import { readCurrency } from '../read/money.ts';
import { type Fields, isAbsent, type Notes, note, readEntries } from '../read/notes.ts';
import { namesSomebody } from '../read/person.ts';
import { readFlag, readId, readText } from '../read/text.ts';
import { occurredAt } from '../read/understood.ts';
import { readCodes } from '../read/codes.ts';
import { readUrl } from '../read/url.ts';
import { readOrderLines, readProducts } from './lines.ts';
import { readBuyer } from './person.ts';
import { given, readAmount, type Read, type Reading, readNumber, readTime } from './reading.ts';

// The meta data by which the plugin joins an order with the cart that it was made from.
const cartMeta = '_rekindle_cart';
const restoreMeta = '_rekindle_restore_url';

/** An order that nobody has placed: the checkout makes it while the shopper types, staff while they prepare it. */
export const unplaced: ReadonlySet<string> = new Set(['auto-draft', 'draft', 'trash']);

// The order exists, and its buyer has not paid and has been asked to. `on-hold` is placed: a bank transfer or a cheque is on its way.
const unpaid: ReadonlySet<string> = new Set(['pending', 'failed', 'checkout-draft']);

/** WooCommerce's own ways to pay after the order was placed. */
const laterMethods: ReadonlySet<string> = new Set(['bacs', 'cheque', 'cod']);

/** `order.created`, `order.updated`, `order.restored`: a purchase, or a checkout that waits to be paid, by its status. */
export const readOrder: Read = (reading) => {
  const status = statusOf(reading);
  const paidAt = readTime(reading, 'date_paid');
  const keys = keysOf(reading);
  const person = readBuyer(reading);
  if (keys.length === 0 && !namesSomebody(person)) {
    note(reading.notes, 'billing.email', 'names nobody, nor does any other field');
    return [];
  }
  const waits =
    paidAt === null && !isPaymentUnderWay(reading, status) && readFlag(reading.body['needs_payment'], 'needs_payment', reading.notes) !== false;
  if (waits && unpaid.has(status)) return [checkoutOf(reading, keys, person)];
  // WooCommerce cancels by itself what stays unpaid for an hour. Whether the shop or a person cancelled it, nothing was bought.
  if (status === 'cancelled' && paidAt === null) return abandonedOrder(reading, keys);
  return placedOrder(reading, { status, paidAt, keys, person });
};

/** `order.deleted`: the payment link of an unpaid order no longer works; a placed order stays as it was. */
export const readOrderDeleted: Read = ({ body, notes, receivedAtMs }) => {
  const id = readNumber(body['id'], 'id', notes);
  return id === null ? [] : [{ type: 'cart.deleted', occurredAtMs: receivedAtMs, keys: [{ kind: 'order', value: id }] }];
};

/**
 * Whether the money is on its way though the order is still `pending`: the gateway has taken the payment and given it a number, or the buyer
 * chose a way to pay later.
 */
function isPaymentUnderWay({ body, notes }: Reading, status: string): boolean {
  const transaction = readText(given(body['transaction_id']), 'transaction_id', notes, 500);
  return status === 'pending' && (transaction !== null || paysLater(body, notes));
}

function paysLater(body: Fields, notes: Notes): boolean {
  return laterMethods.has(readText(given(body['payment_method']), 'payment_method', notes, 100) ?? '');
}

/** The order's status without the `wc-` of the database, which some plugins leave. */
export function statusOf({ body, notes }: Reading): string {
  const status = readText(body['status'], 'status', notes, 50);
  return status?.toLowerCase().replace(/^wc-/, '') ?? '';
}

type Buyer = ReturnType<typeof readBuyer>;

/**
 * A checkout that waits to be paid is a cart whose link leads to the payment. It counts from when it was made: WooCommerce changes such an
 * order many times without the buyer.
 */
function checkoutOf(reading: Reading, keys: SubjectKey[], person: Buyer): DomainEvent {
  const { body, notes, store } = reading;
  const occurred = occurredAt(readTime(reading, 'date_created'), 'date_created_gmt', notes, reading.receivedAtMs);
  const currency = orderCurrency(reading);
  const lines = readOrderLines(reading, currency);
  const total = readAmount(body['total'], 'total', notes, currency);
  // Without a list of lines nobody knows whether there is anything in it.
  const totalMinor = lines === null && total === 0 ? null : total;
  const restoreUrl =
    readUrl(metaOf(reading, restoreMeta), 'meta_data', notes, store.url) ?? readUrl(given(body['payment_url']), 'payment_url', notes, store.url);
  return {
    type: 'cart.updated',
    ...occurred,
    keys,
    person,
    cart: { createdAtMs: occurred.occurredAtMs, currency, totalMinor, items: lines ?? [], restoreUrl, origin: originOf(reading), completed: false },
  };
}

/**
 * Its payment link no longer works, though staff may still mark the order as paid. A cart of the plugin can still be restored by its own link and
 * goes on.
 */
function abandonedOrder(reading: Reading, keys: SubjectKey[]): DomainEvent[] {
  const occurred = modifiedAt(reading);
  const externalId = readNumber(reading.body['id'], 'id', reading.notes);
  const cancelled: DomainEvent[] = externalId === null ? [] : [{ type: 'order.cancelled', ...occurred, order: { externalId } }];
  const hasOwnLink = metaOf(reading, cartMeta) !== null;
  return hasOwnLink || keys.length === 0 ? cancelled : [{ type: 'cart.deleted', ...occurred, keys }, ...cancelled];
}

interface Order {
  status: string;
  paidAt: Instant | null;
  keys: SubjectKey[];
  person: Buyer;
}

function placedOrder(reading: Reading, { status, paidAt, keys, person }: Order): DomainEvent[] {
  const { body, notes } = reading;
  const externalId = readNumber(body['id'], 'id', notes);
  const currency = orderCurrency(reading);
  const totalMinor = readAmount(body['total'], 'total', notes, currency);
  // A link to the payment may be used days after the order was made: it was bought when it was paid. With bank transfer, cheque or cash on delivery
  // the purchase is at once, so that a cart filled before the money arrives is younger.
  const boughtAt = (paysLater(body, notes) ? null : paidAt) ?? readTime(reading, 'date_created');
  const placedAt = occurredAt(boughtAt, 'date_created_gmt', notes, reading.receivedAtMs);
  const placed: DomainEvent = {
    type: 'order.placed',
    ...placedAt,
    keys,
    person,
    order: {
      externalId,
      currency,
      totalMinor,
      products: readProducts(reading),
      noRevenue: null,
      ...readCodes(body['coupon_lines'], 'coupon_lines', notes),
    },
  };
  if (externalId === null) return [placed];
  const occurred = modifiedAt(reading);
  const refunds = currency === null ? [] : readRefunds(reading, currency, occurred.occurredAtMs);
  const refunded = refunds.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
  // WooCommerce does not take refunds off the total.
  const currentTotalMinor = totalMinor === null ? null : Math.max(0, totalMinor - refunded);
  const now = { externalId, currency, currentTotalMinor, refunds };
  if (status === 'cancelled' || status === 'failed') {
    const cancelled: DomainEvent = { type: 'order.cancelled', ...occurred, order: { externalId } };
    return [placed, { type: 'order.updated', ...occurred, order: now }, cancelled];
  }
  // A cancelled order may still be paid, and staff may take a cancellation back.
  return [placed, { type: 'order.updated', ...occurred, order: { ...now, holds: true } }];
}

function modifiedAt(reading: Reading) {
  return occurredAt(
    readTime(reading, 'date_modified') ?? readTime(reading, 'date_created'),
    'date_modified_gmt',
    reading.notes,
    reading.receivedAtMs,
  );
}

function orderCurrency({ body, notes, store }: Reading): string | null {
  const said = readCurrency(body['currency'], 'currency', notes);
  // An unreadable currency may be any.
  const currency = said ?? (isAbsent(body['currency']) ? store.currency : null);
  if (currency === null) note(notes, 'currency', 'is not known: nor is what the order is worth');
  return currency;
}

/** The order's own number, and the cart that it was made from where the plugin says so. */
function keysOf(reading: Reading): SubjectKey[] {
  const orderId = readNumber(reading.body['id'], 'id', reading.notes);
  const cartId = readId(metaOf(reading, cartMeta), 'meta_data', reading.notes);
  return [...(cartId === null ? [] : [{ kind: 'external', value: cartId }]), ...(orderId === null ? [] : [{ kind: 'order', value: orderId }])];
}

/** @returns null where the order has no such meta data */
function metaOf({ body, notes }: Reading, key: string): string | null {
  const values = readEntries(body['meta_data'], 'meta_data', notes, 1_000, (entry) => {
    const value = entry['key'] === key ? given(entry['value']) : null;
    return typeof value === 'string' ? value : null;
  });
  return values?.[0] ?? null;
}

const origins: Readonly<Record<string, CartOrigin>> = {
  checkout: 'web',
  'store-api': 'web',
  admin: 'draft',
  pos: 'point_of_sale',
  'pos-rest-api': 'point_of_sale',
  'rest-api': 'other',
  subscription: 'other',
};

/** Where the order was made; null: the source is not known. */
function originOf({ body, notes }: Reading): CartOrigin | null {
  const by = readText(given(body['created_via']), 'created_via', notes, 100)?.toLowerCase() ?? '';
  return Object.hasOwn(origins, by) ? (origins[by] ?? null) : null;
}

/** An order names its refunds without their times. */
function readRefunds({ body, notes }: Reading, currency: string, atMs: number): OrderRefund[] {
  const refunds = readEntries(body['refunds'], 'refunds', notes, 250, (fields, path): OrderRefund | null => {
    const id = readNumber(fields['id'], `${path}.id`, notes);
    const amount = readAmount(fields['total'], `${path}.total`, notes, currency, { signed: true });
    return id === null || amount === null || amount === 0 ? null : { id, amountMinor: Math.abs(amount), atMs };
  });
  return refunds ?? [];
}
