import type { NoRevenue } from '../events.ts';
import type { EnrollmentStatus, FinishReason, Plan, Progress, StopReason } from './plan.ts';

/**
 * The status that an end leaves on the enrollment. A reason typed by hand is a note beside `manual` and decides nothing here.
 * Source: docs/rules.md#rule-12
 */
export function statusOf(reason: FinishReason): EnrollmentStatus {
  if (reason === 'purchased') return 'CONVERTED';
  return reason === 'completed' ? 'COMPLETED' : 'EXITED';
}

/**
 * How a sequence ends of which every step is settled. Where its last message was left out because its time had passed, it has expired: it did not
 * say all that it had to say.
 */
export function endOfSteps(plan: Plan, progress: Progress): 'completed' | 'expired' {
  const last = plan.steps.findLast(({ on, channels }) => on === undefined && channels.some((channel) => channel !== 'none'));
  return last !== undefined && progress.settled[last.id]?.tooOld === true ? 'expired' : 'completed';
}

/**
 * Why an order ends one enrollment of its buyer. An order that is not the subject's own never says that the subject was bought.
 * @param activated - whether the enrollment's first step had been dispatched; before that nothing had been abandoned
 * @param matched - whether the order is the purchase of this very subject: it names it, or any order of the person is (`SubjectKind.boughtBy`)
 * @param noRevenue - a test order, or one that was cancelled or declined at once, stops like any other, but nothing was bought
 * Source: docs/rules.md, rules 3 and 11
 */
export function stopReasonOfOrder(order: { activated: boolean; matched: boolean; noRevenue?: NoRevenue | null }): StopReason {
  const { activated, matched, noRevenue = null } = order;
  if (noRevenue !== null) return 'order_void';
  if (!matched) return 'purchased_elsewhere';
  return activated ? 'purchased' : 'not_abandoned';
}
