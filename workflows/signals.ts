import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { UpdateDefinition } from '@temporalio/common';
import type { StepActionKind } from '../domain/actions/decide-action.ts';
import { type FinishReason, stopReasons } from '../domain/sequence/plan.ts';
import { type RecoveryView, signalNames, type StepUpdate, type StepUpdated, updateNames, viewQueryName } from './contract.ts';

/** From the product with its reason and `recorded`: Postgres holds this end already. From an operator with a text, or without. */
export const stopSignal = defineSignal<[reason?: unknown, recorded?: 'recorded']>(signalNames.stop);
export const wakeSignal = defineSignal(signalNames.wake);
export const pauseSignal = defineSignal(signalNames.pause);
export const resumeSignal = defineSignal(signalNames.resume);
export const viewQuery = defineQuery<RecoveryView>(viewQueryName);
export const stepUpdates: Record<StepActionKind, UpdateDefinition<StepUpdated, [wish: StepUpdate | undefined]>> = {
  skip: defineUpdate(updateNames.skip),
  snooze: defineUpdate(updateNames.snooze),
  send_now: defineUpdate(updateNames.send_now),
};

/** A reason of a newer version may be unknown here: the sequence ends all the same. */
export function asFinishReason(reason: unknown): FinishReason {
  return reason === 'completed' ? reason : (stopReasons.find((known) => known === reason) ?? 'manual');
}

/** An operator may send any JSON, and Postgres stores no NUL in a text: neither may prevent the end of a sequence. */
export function noteOf(typed: unknown): string | null {
  if (typed === undefined || typed === null) return null;
  return (typeof typed === 'string' ? typed : JSON.stringify(typed)).replaceAll('\0', '');
}
