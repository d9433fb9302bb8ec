import type { CartOrigin, DomainEvent, OrderRefund, SubjectKey } from '../../domain/events.ts';
import type { Instant } from '../read/instant.ts';
import { readCurrency, readMoney } from '../read/money.ts';
import { isAbsent, note, readFields, readList } from '../read/notes.ts';
import { namesSomebody } from '../read/person.ts';
import { readFlag, readId, readText } from '../read/text.ts';
import { occurredAt } from '../read/understood.ts';
import { readUrl } from '../read/url.ts';
import { readOrderLines, readProducts } from './lines.ts';
import { readBuyer } from './person.ts';
import { given, type Read, type Reading, readNumber, readTime } from './reading.ts';

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
  const waits = paidAt === null && readFlag(reading.body['needs_payment'], 'needs_payment', reading.notes) !== false;
  if (waits && unpaid.has(status)) return [checkoutOf(reading, keys, person)];
  // WooCommerce cancels by itself what stays unpaid for an hour. Whoever cancelled it, nobody has bought anything.
  if (status === 'cancelled' && paidAt === null) return abandonedOrder(reading, keys);
  return placedOrder(reading, { status, paidAt, keys, person });
};

/** `order.deleted`: of an order that waited to be paid the link leads nowhere any more; one that was placed stays what it was. */
export const readOrderDeleted: Read = ({ body, notes, receivedAtMs }) => {
  const id = readNumber(body['id'], 'id', notes);
  return id === null ? [] : [{ type: 'cart.deleted', occurredAtMs: receivedAtMs, keys: [{ kind: 'order', value: id }] }];
};

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
  const total = currency === null ? null : readMoney(given(body['total']), 'total', notes, currency);
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

/** Its payment link is dead. A cart of the plugin's can still be restored by its own link, and goes on. */
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
  const totalMinor = currency === null ? null : readMoney(given(body['total']), 'total', notes, currency);
  // A link to the payment may be used days after the order was made: it was bought when it was paid. Who chose to pay by bank transfer, by
  // cheque or at the door bought at once, and a cart that they fill before the money arrives is younger.
  const paidLater = laterMethods.has(readText(given(body['payment_method']), 'payment_method', notes, 100) ?? '');
  const boughtAt = (paidLater ? null : paidAt) ?? readTime(reading, 'date_created');
  const placedAt = occurredAt(boughtAt, 'date_created_gmt', notes, reading.receivedAtMs);
  const declined = status === 'failed' ? 'declined' : null;
  const placed: DomainEvent = {
    type: 'order.placed',
    ...placedAt,
    keys,
    person,
    order: { externalId, currency, totalMinor, products: readProducts(reading), noRevenue: declined },
  };
  if (externalId === null) return [placed];
  const occurred = modifiedAt(reading);
  const refunds = currency === null ? [] : readRefunds(reading, currency, occurred.occurredAtMs);
  const refunded = refunds.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
  // WooCommerce does not take refunds off the total.
  const currentTotalMinor = totalMinor === null ? null : Math.max(0, totalMinor - refunded);
  const updated: DomainEvent = { type: 'order.updated', ...occurred, order: { externalId, currency, currentTotalMinor, refunds } };
  const ended = status === 'cancelled' || status === 'failed';
  return ended ? [placed, updated, { type: 'order.cancelled', ...occurred, order: { externalId } }] : [placed, updated];
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
  // What is there and cannot be read may be any currency.
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
  for (const [index, entry] of (isAbsent(body['meta_data']) ? [] : (readList(body['meta_data'], 'meta_data', notes, 1_000) ?? [])).entries()) {
    const fields = readFields(entry, `meta_data.${index}`, notes);
    const value = fields?.['key'] === key ? given(fields['value']) : null;
    if (typeof value === 'string') return value;
  }
  return null;
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

/** Where the order was made; null: by something that we do not know. */
function originOf({ body, notes }: Reading): CartOrigin | null {
  const by = readText(given(body['created_via']), 'created_via', notes, 100)?.toLowerCase() ?? '';
  return Object.hasOwn(origins, by) ? (origins[by] ?? null) : null;
}

/** An order names its refunds without their times. */
function readRefunds({ body, notes }: Reading, currency: string, atMs: number): OrderRefund[] {
  const list = isAbsent(body['refunds']) ? [] : (readList(body['refunds'], 'refunds', notes, 250) ?? []);
  return list.flatMap((value, index) => {
    const path = `refunds.${index}`;
    const fields = readFields(value, path, notes);
    const id = fields === null ? null : readNumber(fields['id'], `${path}.id`, notes);
    const amount = fields === null ? null : readMoney(fields['total'], `${path}.total`, notes, currency, { signed: true });
    return id === null || amount === null || amount === 0 ? [] : [{ id, amountMinor: Math.abs(amount), atMs }];
  });
}
