import { hasOther, type SubjectHistory } from './coverage.ts';
import { whyTooOld, whyUnknown } from './hindrance.ts';
import { isStopping } from './shopper.ts';
import { at, count, type Verdict, type ViolationKind } from './verdict.ts';
import type { EnrollmentEnd, StepEnd, Witnessed } from './witnessed.ts';

interface Case {
  subject: SubjectHistory;
  /** Every webhook of its shopper. */
  told: Witnessed['deliveries'];
  violate: (kind: ViolationKind, text: string) => void;
}

/** Ends that a shopper brings about. */
const ownEnds = ['purchased', 'purchased_elsewhere', 'not_abandoned', 'order_void', 'emptied', 'replied', 'opted_out', 'contacted'];

const shortestLifeMs = 120_000;

/** Every step was asked about; where the last message came too late, the sequence has expired by that, and the step is judged like any other. */
const ranThrough = ({ status, stopReason, steps }: EnrollmentEnd) =>
  status === 'COMPLETED' || (stopReason === 'expired' && steps.every(({ state }) => state !== 'waiting'));

/** It has ended for a reason that was witnessed, and each of its messages was accepted once or is explained. */
export function judgeEnrollment(seen: Witnessed, it: Case, e: EnrollmentEnd, verdict: Verdict): void {
  if (e.endedMs === null) it.violate('STUCK', `enrollment ${e.id} is still ${e.status}`);
  else if (!ranThrough(e) && !gaveWay(it, e) && !(ownEnds.includes(e.stopReason ?? '') && hasSaidStop(seen, it))) {
    // A sequence ends by its age, too, where nothing could be sent for so long.
    const why = e.stopReason === 'expired' ? whyTooOld(seen, e.enrolledMs, e.endedMs) : null;
    count(verdict.unsent, `${e.stopReason ?? e.status}: ${why ?? 'nothing explains it'}`);
    if (why === null) it.violate('LOST', `enrollment ${e.id} is ${e.status} ${e.stopReason ?? ''}, which nothing that happened explains`);
  }
  for (const step of e.steps) {
    if (step.sends) judgeMessage(seen, it, e, step, verdict);
    else if (e.status === 'COMPLETED' && step.state === 'waiting') it.violate('LOST', `${step.id} was never settled`);
  }
}

/** Its shopper has another cart at this store, and one conversation. */
function gaveWay({ subject, told }: Case, e: EnrollmentEnd): boolean {
  return e.stopReason === 'superseded' && hasOther(subject, told);
}

function hasSaidStop(seen: Witnessed, { subject, told }: Case): boolean {
  return told.some((d) => isStopping(d.planned.event) && d.sentMs !== null) || seen.unsubscribes.some((u) => u.shopper === subject.shopper);
}

function judgeMessage(seen: Witnessed, { violate }: Case, e: EnrollmentEnd, step: StepEnd, verdict: Verdict): void {
  const accepted = seen.messages.some(
    ({ subject, step: of, enrollmentId }) => subject === e.subject && of === step.id && (enrollmentId === null || enrollmentId === e.id),
  );
  count(verdict.messages, step.state === 'skipped' ? `skipped: ${step.skipReason ?? ''}` : step.state);
  switch (step.state) {
    case 'sent':
      if (!accepted) violate('TRUTH', `${step.id} is sent, but no far end ever accepted it`);
      return;
    case 'claimed':
      return violate('STUCK', `${step.id} is still claimed`);
    case 'unknown': {
      const why = whyUnknown(seen, step);
      count(verdict.unknown, `${why ?? 'nothing explains it'}, ${accepted ? 'accepted' : 'not accepted'}`);
      if (why === null) violate('LOST', `${step.id}, claimed at ${at(step.claimedMs)}, is unknown, though nothing that happened explains it`);
      return;
    }
    default: {
      if (accepted) violate('TRUTH', `${step.id} is ${step.state}, but a far end accepted it`);
      if (!ranThrough(e)) return;
      const why = whyNotSent(seen, e, step);
      count(verdict.unsent, `${step.skipReason ?? step.state}: ${why ?? 'nothing explains it'}`);
      if (why === null) violate('LOST', `${step.id}, due at ${at(step.dueMs)}, is ${step.state} ${step.skipReason ?? ''}, which nothing explains`);
    }
  }
}

const puttingOff: readonly string[] = ['puts recipients off', 'puts messages off', 'answers 503'];

function whyNotSent(seen: Witnessed, e: EnrollmentEnd, step: StepEnd): string | null {
  if (step.skipReason === 'refused' && seen.faults.some(({ fault }) => puttingOff.includes(fault.what))) return 'its far end put it off too often';
  // A step lives for two minutes at least, however fast the plan runs (docs/rules.md#rule-5).
  if (step.skipReason === 'too_old' && step.settledMs !== null && step.settledMs - step.dueMs > shortestLifeMs)
    return whyTooOld(seen, Math.max(step.dueMs, e.enrolledMs), step.settledMs);
  return null;
}
