import type { EnrollmentRow } from '../dispatch/progress.ts';
import type { Words } from '../../domain/subjects/kind.ts';
import { capital, instantWords, stoppedBecause } from './words.ts';

type Standing = {
  row: Pick<EnrollmentRow, 'endedAt' | 'status' | 'stopReason' | 'held' | 'activatedAt'>;
  steps: readonly { state: string }[];
  next: { stepId: string; atMs: number } | null;
  /** Until when it waits for what its reactions wait for, with no step left; null: it does not. */
  listensUntilMs: number | null;
};

const notSent = ['not_sent', 'skipped', 'failed'];
const count = (n: number, one: string) => `${n === 0 ? 'no' : n} ${one}${n === 1 ? '' : 's'}`;

/** Where an enrollment stands, in a sentence or two for people: what was sent, what comes next, or how it ended and what stayed unsent. */
export function summaryOf(about: Words, { row, steps, next, listensUntilMs }: Standing): string {
  const out = steps.filter((s) => s.state === 'sent' || s.state === 'unknown').length;
  const sent = `${count(out, 'message')} went out`;
  if (row.endedAt !== null) {
    const unsent = steps.filter((s) => notSent.includes(s.state)).length;
    const rest = unsent === 0 ? '' : `, ${count(unsent, 'step')} ${unsent === 1 ? 'was' : 'were'} not sent`;
    return `${endSentence(about, row)} ${capital(sent)}${rest}.`;
  }
  if (row.held !== null)
    return `The sequence is ${row.held === 'paused' ? 'paused' : 'in the hands of a person'}: nothing is sent until it is resumed. ${capital(sent)}.`;
  const begun = row.activatedAt === null ? about.notBegun : `The sequence is running: ${sent}`;
  if (next === null && listensUntilMs !== null) return `${begun}; it waits until ${instantWords(listensUntilMs)} for something to react to.`;
  return next === null ? `${begun}.` : `${begun}; ${next.stepId} is next, due ${instantWords(next.atMs)}.`;
}

/** "Stopped 2026-11-22 08:00:00 UTC: the cart was bought." */
export function endSentence(about: Words, row: Pick<EnrollmentRow, 'endedAt' | 'status' | 'stopReason'>): string {
  const at = row.endedAt === null ? '' : ` ${instantWords(row.endedAt)}`;
  return row.status === 'COMPLETED'
    ? `The sequence ran to its end${at}.`
    : `The sequence was stopped${at}${stoppedBecause(about, row.stopReason ?? 'manual')}.`;
}
