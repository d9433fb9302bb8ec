import type { Figures } from '../../../operations/read/analytics.ts';
import { formatMoney } from '../../../operations/read/money.ts';

/** Recovered revenue as a figure of the live page: net in the currency of most orders, the others below it, the gross where it differs, and orders of unknown value. */
export function cameBack({ revenue, ordersOfUnknownValue }: Pick<Figures, 'revenue' | 'ordersOfUnknownValue'>): {
  value: string;
  note: string;
} {
  const [most, ...others] = revenue.toSorted((a, b) => b.orders - a.orders);
  const changed = revenue
    .filter((r) => r.grossMinor !== r.netMinor)
    .map((r) => {
      const refunded = r.refundedMinor === 0 ? '' : `, ${money(r.refundedMinor, r.currency)} refunded`;
      return `of ${money(r.grossMinor, r.currency)} ordered${refunded}`;
    });
  const unknown =
    ordersOfUnknownValue === 0 ? [] : [ordersOfUnknownValue === 1 ? '1 order of unknown value' : `${ordersOfUnknownValue} orders of unknown value`];
  const beside = others.length === 0 ? [] : [`and ${others.map((r) => money(r.netMinor, r.currency)).join(', ')}`];
  const notes = [...beside, ...changed, ...unknown];
  return {
    value: most === undefined ? '–' : money(most.netMinor, most.currency),
    note: notes.length === 0 ? 'orders credited to a sequence' : notes.join('; '),
  };
}

const money = (minor: number, currency: string): string => formatMoney(minor, currency, 'en') ?? `${currency} ${minor}`;
