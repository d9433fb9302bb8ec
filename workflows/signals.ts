import { defineQuery, defineSignal } from '@temporalio/workflow';
import { type FinishReason, stopReasons } from '../domain/sequence/plan.ts';
import { type RecoveryView, signalNames, viewQueryName } from './contract.ts';

/** From the product with its reason and `recorded`: Postgres holds this end already. By an operator's hand with a word, or with nothing. */
export const stopSignal = defineSignal<[reason?: unknown, recorded?: 'recorded']>(signalNames.stop);
export const wakeSignal = defineSignal(signalNames.wake);
export const pauseSignal = defineSignal(signalNames.pause);
export const resumeSignal = defineSignal(signalNames.resume);
export const viewQuery = defineQuery<RecoveryView>(viewQueryName);

/** A reason that a newer version wrote may be unknown to this one: it ends all the same. */
export function asFinishReason(reason: unknown): FinishReason {
  return reason === 'completed' ? reason : (stopReasons.find((known) => known === reason) ?? 'manual');
}

/** An operator may type anything as JSON, and Postgres keeps no NUL in a text: neither may keep a sequence from ending. */
export function noteOf(typed: unknown): string | null {
  if (typed === undefined || typed === null) return null;
  return (typeof typed === 'string' ? typed : JSON.stringify(typed)).replaceAll('\0', '');
}
