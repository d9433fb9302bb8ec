import { dueAt } from '../sequence/due.ts';
import { nextStep } from '../sequence/next-step.ts';
import type { EpochMs, Plan, Progress, Snooze, StepId } from '../sequence/plan.ts';

/** What a person may ask of the step that comes next. */
export const stepActions = ['skip', 'snooze', 'send_now'] as const;
export type StepActionKind = (typeof stepActions)[number];

export interface StepAction {
  kind: StepActionKind;
  /** The step that is meant; null: whichever comes next. */
  step: StepId | null;
  /** Of a snooze: until when; null: not one. */
  untilMs: EpochMs | null;
}

/** Why an action is refused. Reaches the API as `code`: renaming one is a breaking change. */
export const actionRefusals = [
  'ended',
  'unknown_step',
  'already_sent',
  'already_skipped',
  'not_next',
  'no_step',
  'in_flight',
  'paused',
  'asked_later',
  'in_the_past',
  'too_far',
] as const;
export type ActionRefusal = (typeof actionRefusals)[number];

export type DecidedAction = { kind: 'act'; step: StepId; dueMs: EpochMs; snooze: Snooze | null } | { kind: 'refuse'; why: ActionRefusal };

/** The longest snooze: ninety days. What is to wait for longer is better stopped. */
const longestSnoozeMs = 90 * 24 * 3_600_000;

/**
 * Whether the next step may be skipped, snoozed or made due now. Asked under the locks of a dispatch, so that the two never decide about the same step
 * at the same time. Pure; never throws.
 * @param ended - whether the enrollment has an end
 * @param inFlight - whether a call of one of its steps may be running
 * Source: docs/rules.md#rule-72
 */
export function decideAction(
  plan: Plan,
  progress: Progress,
  action: StepAction,
  { ended, inFlight, nowMs }: { ended: boolean; inFlight: boolean; nowMs: EpochMs },
): DecidedAction {
  const refuse = (why: ActionRefusal): DecidedAction => ({ kind: 'refuse', why });
  if (ended) return refuse('ended');
  const next = nextStep(plan, progress);
  if (action.step !== null && action.step !== next?.id) return refuse(whyNotThis(plan, progress, action.step));
  if (next === null) return refuse('no_step');
  if (inFlight) return refuse('in_flight');
  const dueMs = dueAt(plan, progress, next.id);
  const act = (snooze: Snooze | null): DecidedAction => ({ kind: 'act', step: next.id, dueMs, snooze });
  switch (action.kind) {
    case 'skip':
      return act(null);
    case 'snooze': {
      const { untilMs } = action;
      if (untilMs === null || untilMs <= nowMs) return refuse('in_the_past');
      if (untilMs > nowMs + longestSnoozeMs) return refuse('too_far');
      return act({ atMs: momentOf(progress, nowMs), untilMs, by: 'hand' });
    }
    case 'send_now':
      if (progress.held !== null) return refuse('paused');
      // The person's own wish holds against the store's.
      return progress.snoozes?.some(({ by, untilMs }) => by === undefined && untilMs > nowMs) === true ? refuse('asked_later') : act(null);
  }
}

function whyNotThis(plan: Plan, { settled }: Progress, step: StepId): ActionRefusal {
  if (!plan.steps.some(({ id }) => id === step)) return 'unknown_step';
  const outcome = settled[step]?.outcome;
  return outcome === undefined ? 'not_next' : outcome === 'skipped' ? 'already_skipped' : 'already_sent';
}

/** A step that was settled counts as settled before the snooze, whichever clock is ahead. */
function momentOf({ settled }: Progress, nowMs: EpochMs): EpochMs {
  return Object.values(settled).reduce((latest, { atMs }) => Math.max(latest, atMs), nowMs);
}
