import type { DomainEvent, NoRevenue, SubjectKey } from '../../domain/events.ts';
import { readCodes } from '../read/codes.ts';
import { readInstant } from '../read/instant.ts';
import { readMoney } from '../read/money.ts';
import { type Fields, isAbsent, note, readEntries } from '../read/notes.ts';
import { namesSomebody } from '../read/person.ts';
import { readFlag, readId, readText } from '../read/text.ts';
import { readEventCurrency, readItems } from './carts.ts';
import { optOutsOf, readContact } from './person.ts';
import { type Read, type Reading, within } from './reading.ts';

export const readOrderPlaced: Read = (reading) => {
  const { notes, occurred } = reading;
  const order = within(reading, 'order');
  const currency = readEventCurrency(reading, order, 'data.order', 'total');
  const contact = readContact(reading, currency);
  const keys = cartOf(reading, order);
  if (keys.length === 0 && !namesSomebody(contact.person)) {
    note(notes, 'data.cart_id', 'is missing, and contact names nobody: the order belongs to nobody');
    return [];
  }
  const items = isAbsent(order['items']) ? [] : (readItems(reading, order, null, 'data.order') ?? []);
  return [
    {
      type: 'order.placed',
      ...occurred,
      keys,
      person: contact.person,
      order: {
        externalId: readId(order['id'], 'data.order.id', notes),
        currency,
        totalMinor: currency === null ? null : readMoney(order['total'], 'data.order.total', notes, currency),
        products: items.map(({ title, productId }) => ({ title, productId })).filter(({ title, productId }) => title !== '' || productId !== null),
        noRevenue: noRevenueOf(reading, order),
        ...readCodes(order['discount_codes'], 'data.order.discount_codes', notes),
      },
    },
    ...optOutsOf(contact, occurred),
  ];
};

function cartOf({ data, notes }: Reading, order: Fields): SubjectKey[] {
  const value = readId(data['cart_id'], 'data.cart_id', notes) ?? readId(order['cart_id'], 'data.order.cart_id', notes);
  return value === null ? [] : [{ kind: 'external', value }];
}

const cancelled = ['cancelled', 'canceled', 'cancelled_by_customer', 'annulled'];
const declined = ['declined', 'failed', 'voided', 'rejected', 'refused', 'payment_failed'];

function statusOf({ notes }: Reading, order: Fields): string | null {
  return (
    readText(order['status'], 'data.order.status', notes, 50)
      ?.toLowerCase()
      .replace(/[\s-]+/g, '_') ?? null
  );
}

function noRevenueOf(reading: Reading, order: Fields): NoRevenue | null {
  const status = statusOf(reading, order) ?? '';
  if (readFlag(order['test'], 'data.order.test', reading.notes) === true || status === 'test') return 'test';
  if (cancelled.includes(status)) return 'cancelled';
  return declined.includes(status) ? 'declined' : null;
}

/** How an order stands now. Names the order by its number, so it stops nobody. */
export const readOrderUpdated: Read = (reading) => {
  const { notes, occurred } = reading;
  const order = within(reading, 'order');
  const externalId = readId(order['id'], 'data.order.id', notes);
  if (externalId === null) return [];
  const currency = readEventCurrency(reading, order, 'data.order', 'current_total');
  const currentTotalMinor = currency === null ? null : currentTotalOf(reading, order, currency);
  const refunds = currency === null ? [] : refundsOf(reading, order, currency);
  const updated: DomainEvent = { type: 'order.updated', ...occurred, order: { externalId, currency, currentTotalMinor, refunds } };
  const status = statusOf(reading, order) ?? '';
  const ends = cancelled.includes(status) || declined.includes(status);
  return ends ? [updated, { type: 'order.cancelled', ...occurred, order: { externalId } }] : [updated];
};

/** `current_total`, or what is left of `total` after `refunded`. */
function currentTotalOf({ notes }: Reading, order: Fields, currency: string): number | null {
  const current = readMoney(order['current_total'], 'data.order.current_total', notes, currency);
  if (current !== null) return current;
  const total = readMoney(order['total'], 'data.order.total', notes, currency);
  const refunded = readMoney(order['refunded'], 'data.order.refunded', notes, currency);
  return total === null || refunded === null ? null : Math.max(0, total - refunded);
}

function refundsOf({ notes, store, occurred }: Reading, order: Fields, currency: string) {
  const refunds = readEntries(order['refunds'], 'data.order.refunds', notes, 250, (fields, path) => {
    const id = readId(fields['id'], `${path}.id`, notes);
    const amount = readMoney(fields['amount'], `${path}.amount`, notes, currency, { signed: true });
    if (id === null || amount === null || amount === 0) {
      note(notes, path, 'has no id or no amount: left out');
      return null;
    }
    const at = readInstant(fields['at'], `${path}.at`, notes, store.timeZone);
    return { id, amountMinor: Math.abs(amount), atMs: Math.min(at?.ms ?? occurred.occurredAtMs, occurred.occurredAtMs) };
  });
  return refunds ?? [];
}

export const readOrderCancelled: Read = (reading) => {
  const externalId = readId(within(reading, 'order')['id'], 'data.order.id', reading.notes);
  return externalId === null ? [] : [{ type: 'order.cancelled', ...reading.occurred, order: { externalId } }];
};
