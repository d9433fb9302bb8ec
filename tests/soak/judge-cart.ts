import { afterStop, secondCopies } from '../chaos/promises.ts';
import { type CartHistory, coveredFrom, hasOtherCart, type Stop } from './coverage.ts';
import { judgeEnrollment } from './judge-enrollment.ts';
import { at, count, type Verdict, type ViolationKind } from './verdict.ts';
import type { Witnessed } from './witnessed.ts';

/** What is known about one cart. */
export interface CartCase {
  cart: CartHistory;
  /** Every webhook of its shopper. */
  told: Witnessed['deliveries'];
  mails: Witnessed['mails'];
  enrollments: Witnessed['enrollments'];
  violate: (kind: ViolationKind, text: string) => void;
}

// Postgres's clock and the observer's are one; the API writes whole milliseconds.
const roundingMs = 5;

export function judgeCart(seen: Witnessed, cart: CartHistory, stops: readonly Stop[], verdict: Verdict): void {
  const it: CartCase = {
    cart,
    told: seen.deliveries.filter((d) => d.planned.shopper === cart.shopper),
    mails: seen.mails.filter((mail) => mail.cart === cart.id),
    enrollments: seen.enrollments.filter((e) => e.cart === cart.id).toSorted((a, b) => a.enrolledMs - b.enrolledMs),
    violate: (kind, text) => verdict.violations.push({ kind, cart: cart.id, text }),
  };
  judgeStores(it);
  judgeCopies(it);
  for (const stop of stops) if (stop.shopper === cart.shopper) judgeStop(seen, it, stop, verdict);
  for (const enrollment of it.enrollments) judgeEnrollment(seen, it, enrollment, verdict);
  count(verdict.carts, fateOf(seen, it));
}

/** Whatever is done about a cart is done by the store whose cart it is. */
function judgeStores({ cart, mails, enrollments, violate }: CartCase): void {
  for (const { step, store } of mails) if (store !== cart.store) violate('G10', `${step} of a cart of ${cart.store} came from ${store ?? 'nobody'}`);
  for (const { id, store } of enrollments) if (store !== cart.store) violate('G10', `enrollment ${id} of a cart of ${cart.store} is of ${store}`);
}

function judgeCopies({ mails, violate }: CartCase): void {
  for (const [step, copies] of secondCopies(mails, (mail) => mail.step))
    violate('G1', `${step} was accepted ${copies.length} times, at ${copies.map((m) => at(m.dotMs)).join(' and ')}`);
}

/** From the 2xx on no covered email is accepted, and what it ends has ended. */
function judgeStop(seen: Witnessed, it: CartCase, stop: Stop, verdict: Verdict): void {
  const fromMs = coveredFrom(stop, it.cart, it.told);
  if (fromMs === null) return;
  verdict.stops.judged++;
  const by = `the 2xx of ${stop.what} at ${at(fromMs)}`;
  for (const { step, dotMs } of it.mails) {
    const lateMs = afterStop(dotMs, fromMs);
    if (lateMs === null) {
      if (dotMs >= stop.sentMs) verdict.stops.met++;
    } else if (wasPaused(seen, it, step, dotMs)) verdict.stops.beyondAssumption++;
    else it.violate('G2', `${step} was accepted at ${at(dotMs)}, ${lateMs.toFixed(1)} ms after ${by}`);
  }
  for (const { id, endedMs } of it.enrollments) {
    if (endedMs !== null && endedMs <= fromMs + roundingMs) continue;
    it.violate('G3', `after ${by} enrollment ${id} went on${endedMs === null ? '' : ` until ${at(endedMs)}`}`);
  }
}

/** Whether a worker was paused between the claim of an email and its acceptance. */
function wasPaused(seen: Witnessed, { enrollments }: CartCase, stepId: string, dotMs: number): boolean {
  const claimedMs = enrollments.flatMap((e) => e.steps).find((s) => s.id === stepId)?.claimedMs ?? dotMs;
  return seen.faults.some(({ fault, fromMs, toMs }) => fault.kind === 'pause' && fromMs <= dotMs && toMs >= claimedMs - 1_000);
}

/** What became of a cart, in words. One that began nothing, for no reason, is lost. */
function fateOf(seen: Witnessed, { cart, told, enrollments, violate }: CartCase): string {
  const last = enrollments.at(-1);
  if (last !== undefined) {
    for (const earlier of enrollments.slice(0, -1))
      if (earlier.activatedMs !== null) violate('G1', `it went through the sequence twice: ${earlier.id} and ${last.id}`);
    return last.status === 'EXITED' ? `exited: ${last.stopReason ?? 'no reason'}` : last.status.toLowerCase();
  }
  const answered = cart.deliveries.flatMap((d) => (d.answeredMs === null || d.planned.event.names === null ? [] : [d.answeredMs]));
  if (answered.length === 0) return 'never began: no address was told';
  const lastMs = Math.max(...answered);
  const before = (sentMs: number | null) => sentMs !== null && sentMs <= lastMs;
  const toldBefore = (type: string) => told.some((d) => d.planned.event.type === type && before(d.sentMs));
  if (toldBefore('order.placed')) return 'never began: bought before';
  if (toldBefore('contact.opted_out')) return 'never began: opted out before';
  if (seen.unsubscribes.some((u) => u.shopper === cart.shopper && before(u.sentMs))) return 'never began: opted out before';
  if (hasOtherCart(cart, told)) return 'never began: the newer cart has the conversation';
  violate('LOST', 'its webhook was answered 2xx, but no sequence began, and nothing that the shopper did explains it');
  return 'lost';
}
