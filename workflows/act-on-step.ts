import { ApplicationFailure, currentUpdateInfo, proxyActivities, setHandler } from '@temporalio/workflow';
import { stepActions, type StepActionKind } from '../domain/actions/decide-action.ts';
import type { Activities, StepUpdate, StepUpdated } from './contract.ts';
import { stepUpdates } from './signals.ts';

// A person waits for the answer: a failure is tried again soon, and before any dispatch.
const retry = { initialInterval: '100ms', backoffCoefficient: 2, maximumInterval: '2s' } as const;
const longestMs = 30_000;

const descriptions: Record<StepActionKind, string> = {
  skip: 'Leave the next step out: {"step": "email_24h"}, or nothing for whichever comes next',
  snooze: 'Put off what is left: {"until": "2026-12-01T08:00:00Z"} or {"hours": 24}',
  send_now: 'Make the next step due now; every gate still holds: {"step": "email_24h"}, or nothing',
};

/**
 * Answer the updates about the next step. The validator refuses what has no point any more, and leaves no trace of it; everything else is decided in
 * Postgres, under the locks of a dispatch. This workflow only receives a signal to decide again.
 */
export function answerStepUpdates(ids: { tenantId: string; enrollmentId: string }, hasEnded: () => boolean, lookAgain: () => void): void {
  for (const kind of stepActions) {
    setHandler(stepUpdates[kind], (wish) => act(kind, ids, wish ?? {}, lookAgain), {
      validator(wish) {
        if (hasEnded()) throw refusal('ended', 'the sequence has ended');
        const fault = faultOf(kind, wish ?? {});
        if (fault !== null) throw refusal('unreadable', fault);
        if (Date.now() > (wish?.deadlineMs ?? Number.POSITIVE_INFINITY)) throw refusal('too_late', 'its caller has been answered');
      },
      description: descriptions[kind],
    });
  }
}

async function act(
  kind: StepActionKind,
  ids: { tenantId: string; enrollmentId: string },
  { step = null, until = null, hours = null, deadlineMs = null, key = null, actor = 'temporal', requestId = null }: StepUpdate,
  lookAgain: () => void,
): Promise<StepUpdated> {
  const leftMs = deadlineMs === null ? longestMs : Math.min(longestMs, Math.max(1, deadlineMs - Date.now()));
  const { actOnStep } = proxyActivities<Activities>({
    startToCloseTimeout: '5s',
    scheduleToCloseTimeout: leftMs,
    retry,
    priority: { priorityKey: 1 },
    summary: kind,
  });
  const untilMs = until === null ? null : Date.parse(until);
  const answer = await actOnStep({ ...ids, id: currentUpdateInfo()?.id ?? '', kind, step, untilMs, hours, deadlineMs, key, actor, requestId });
  lookAgain();
  if (answer.kind === 'refused') throw refusal(answer.why, answer.why.replaceAll('_', ' '));
  return { step: answer.result.step, until: answer.result.untilMs === null ? null : new Date(answer.result.untilMs).toISOString() };
}

/** An operator may send any JSON. */
function faultOf(kind: StepActionKind, wish: unknown): string | null {
  if (typeof wish !== 'object' || wish === null || Array.isArray(wish)) return 'it takes an object';
  const { step, until, hours, deadlineMs, key, actor, requestId }: Record<string, unknown> = { ...wish };
  const isText = (value: unknown) => value == null || (typeof value === 'string' && value.length <= 200 && !value.includes('\0'));
  const isNumber = (value: unknown) => value == null || (typeof value === 'number' && Number.isFinite(value));
  if (!isText(step) || !isText(key) || !isText(actor) || !isText(requestId) || !isNumber(deadlineMs))
    return 'step, key, actor and requestId are texts, deadlineMs is a number';
  if (kind !== 'snooze') return until == null && hours == null ? null : 'until and hours are for a snooze';
  if ((until == null) === (hours == null)) return 'say until when, or for how many hours';
  if (until != null && (typeof until !== 'string' || Number.isNaN(Date.parse(until)))) return 'until is no time: write 2026-12-01T08:00:00Z';
  if (hours != null && (typeof hours !== 'number' || !(hours > 0 && hours <= 2_160))) return 'hours are more than 0 and at most 2160 (90 days)';
  return null;
}

const refusal = (type: string, message: string) => ApplicationFailure.create({ type, message, nonRetryable: true });
