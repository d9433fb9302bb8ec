import type { Figures } from '../../../operations/read/analytics.ts';
import { majorUnits } from '../../../operations/read/major-units.ts';

/** Recovered revenue as a figure of the live page: net, the gross where it differs, and orders of unknown value. */
export function cameBack({ revenue, ordersOfUnknownValue }: Pick<Figures, 'revenue' | 'ordersOfUnknownValue'>): {
  value: string;
  note: string;
} {
  const value = revenue.map((r) => `${r.currency} ${majorUnits(r.netMinor, r.currency)}`).join(' + ');
  const changed = revenue
    .filter((r) => r.grossMinor !== r.netMinor)
    .map((r) => {
      const refunded = r.refundedMinor === 0 ? '' : `, ${majorUnits(r.refundedMinor, r.currency)} refunded`;
      return `of ${r.currency} ${majorUnits(r.grossMinor, r.currency)} ordered${refunded}`;
    });
  const unknown =
    ordersOfUnknownValue === 0 ? [] : [ordersOfUnknownValue === 1 ? '1 order of unknown value' : `${ordersOfUnknownValue} orders of unknown value`];
  const notes = [...changed, ...unknown];
  return { value: value === '' ? '–' : value, note: notes.length === 0 ? 'orders credited to a sequence' : notes.join('; ') };
}
