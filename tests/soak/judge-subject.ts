import { afterStop, secondCopies } from '../chaos/promises.ts';
import { coveredFrom, hasOther, type Stop, type SubjectHistory } from './coverage.ts';
import { judgeEnrollment } from './judge-enrollment.ts';
import { namesOf, type ShopEvent } from './shopper.ts';
import { at, count, type Verdict, type ViolationKind } from './verdict.ts';
import type { Witnessed } from './witnessed.ts';

/** What is known about one cart or lead. */
export interface SubjectCase {
  subject: SubjectHistory;
  /** Every webhook of its shopper. */
  told: Witnessed['deliveries'];
  messages: Witnessed['messages'];
  enrollments: Witnessed['enrollments'];
  violate: (kind: ViolationKind, text: string) => void;
}

// Postgres's clock and the observer's are one; the API writes whole milliseconds.
const roundingMs = 5;

export function judgeSubject(seen: Witnessed, subject: SubjectHistory, stops: readonly Stop[], verdict: Verdict): void {
  const it: SubjectCase = {
    subject,
    told: seen.deliveries.filter((d) => d.planned.shopper === subject.shopper),
    messages: seen.messages.filter((message) => message.subject === subject.id),
    enrollments: seen.enrollments.filter((e) => e.subject === subject.id).toSorted((a, b) => a.enrolledMs - b.enrolledMs),
    violate: (kind, text) => verdict.violations.push({ kind, subject: subject.id, text }),
  };
  judgeStores(it);
  judgeCopies(it);
  for (const stop of stops) if (stop.shopper === subject.shopper) judgeStop(seen, it, stop, verdict);
  for (const enrollment of it.enrollments) judgeEnrollment(seen, it, enrollment, verdict);
  count(verdict.subjects, fateOf(seen, it));
}

/** Whatever is done about a cart or a lead is done by its own store. */
function judgeStores({ subject, messages, enrollments, violate }: SubjectCase): void {
  const { id, store: own } = subject;
  for (const { step, store } of messages) if (store !== own) violate('G10', `${step} about ${id} of ${own} came from ${store ?? 'nobody'}`);
  for (const { id: enrollment, store } of enrollments)
    if (store !== own) violate('G10', `enrollment ${enrollment} about ${id} of ${own} is of ${store}`);
}

function judgeCopies({ messages, violate }: SubjectCase): void {
  for (const [step, copies] of secondCopies(messages, (message) => message.step))
    violate('G1', `${step} was accepted ${copies.length} times, at ${copies.map((m) => at(m.atMs)).join(' and ')}`);
}

/** From the 2xx on no covered message is accepted, and what it ends has ended. */
function judgeStop(seen: Witnessed, it: SubjectCase, stop: Stop, verdict: Verdict): void {
  const fromMs = coveredFrom(stop, it.subject, it.told);
  if (fromMs === null) return;
  verdict.stops.judged++;
  const by = `the 2xx of ${stop.what} at ${at(fromMs)}`;
  for (const { step, atMs } of it.messages) {
    const lateMs = afterStop(atMs, fromMs);
    if (lateMs === null) {
      if (atMs >= stop.sentMs) verdict.stops.met++;
    } else if (wasPaused(seen, it, step, atMs)) verdict.stops.beyondAssumption++;
    else it.violate('G2', `${step} was accepted at ${at(atMs)}, ${lateMs.toFixed(1)} ms after ${by}`);
  }
  for (const { id, endedMs } of it.enrollments) {
    if (endedMs !== null && endedMs <= fromMs + roundingMs) continue;
    it.violate('G3', `after ${by} enrollment ${id} went on${endedMs === null ? '' : ` until ${at(endedMs)}`}`);
  }
}

/** Whether a worker was paused between the claim of a message and its acceptance. */
function wasPaused(seen: Witnessed, { enrollments }: SubjectCase, stepId: string, acceptedMs: number): boolean {
  const claimedMs = enrollments.flatMap((e) => e.steps).find((s) => s.id === stepId)?.claimedMs ?? acceptedMs;
  return seen.faults.some(({ fault, fromMs, toMs }) => fault.kind === 'pause' && fromMs <= acceptedMs && toMs >= claimedMs - 1_000);
}

/** Whoever said one of these before may begin nothing. */
const spokenBefore = [
  ['order.placed', 'bought before'],
  ['sale.reported', 'bought before'],
  ['contact.opted_out', 'opted out before'],
  ['text.received', 'texted before'],
  ['lead.contacted', 'contacted before'],
] as const satisfies [ShopEvent['type'], string][];

/** What became of a cart or lead, in words. One that began nothing, for no reason, is lost. */
function fateOf(seen: Witnessed, { subject, told, enrollments, violate }: SubjectCase): string {
  const last = enrollments.at(-1);
  if (last !== undefined) {
    for (const earlier of enrollments.slice(0, -1))
      if (earlier.activatedMs !== null) violate('G1', `it went through the sequence twice: ${earlier.id} and ${last.id}`);
    return last.status === 'EXITED' ? `exited: ${last.stopReason ?? 'no reason'}` : last.status.toLowerCase();
  }
  const answered = subject.deliveries.flatMap((d) => (d.answeredMs === null || namesOf(d.planned.event) === null ? [] : [d.answeredMs]));
  if (answered.length === 0) return 'never began: no address was told';
  const lastMs = Math.max(...answered);
  const before = (sentMs: number | null) => sentMs !== null && sentMs <= lastMs;
  const said = spokenBefore.find(([type]) => told.some((d) => d.planned.event.type === type && before(d.sentMs)));
  if (said !== undefined) return `never began: ${said[1]}`;
  if (seen.unsubscribes.some((u) => u.shopper === subject.shopper && before(u.sentMs))) return 'never began: opted out before';
  if (hasOther(subject, told)) return 'never began: the newer cart has the conversation';
  violate('LOST', 'its webhook was answered 2xx, but no sequence began, and nothing that the shopper did explains it');
  return 'lost';
}
