import type { NoRevenue } from '../events.ts';
import type { EnrollmentStatus, FinishReason, StopReason } from './plan.ts';

/**
 * The status that an end leaves on the enrollment. A reason typed by hand is a note beside `manual` and decides nothing here.
 * Source: docs/rules.md#rule-12
 */
export function statusOf(reason: FinishReason): EnrollmentStatus {
  if (reason === 'purchased') return 'CONVERTED';
  return reason === 'completed' ? 'COMPLETED' : 'EXITED';
}

/**
 * Why an order ends one cart enrollment of its buyer. An order that does not name the cart never says that the cart was bought.
 * @param activated - whether the enrollment's first step had been dispatched; before that nothing had been abandoned
 * @param matched - whether the order names this very subject, and not only the same person
 * @param noRevenue - a test order, or one that was cancelled or declined at once, stops like any other, but nothing was bought
 * Source: docs/rules.md, rules 3 and 11
 */
export function stopReasonOfOrder(order: { activated: boolean; matched: boolean; noRevenue?: NoRevenue | null }): StopReason {
  const { activated, matched, noRevenue = null } = order;
  if (noRevenue !== null) return 'order_void';
  if (!matched) return 'purchased_elsewhere';
  return activated ? 'purchased' : 'not_abandoned';
}
