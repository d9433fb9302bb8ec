import {
  ActivityCancellationType,
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { type Move, nextMove } from '../domain/sequence/next-move.ts';
import { expiryAt } from '../domain/sequence/due.ts';
import { type FinishReason, type Progress, type StopReason, stopReasons } from '../domain/sequence/plan.ts';
import {
  type Activities,
  type DispatchedStep,
  type RecoveryInput,
  type RecoveryResult,
  type RecoveryView,
  signalNames,
  viewQueryName,
} from './contract.ts';

const stopSignal = defineSignal<[reason?: unknown, recorded?: 'recorded']>(signalNames.stop);
const wakeSignal = defineSignal(signalNames.wake);
const pauseSignal = defineSignal(signalNames.pause);
const resumeSignal = defineSignal(signalNames.resume);
const viewQuery = defineQuery<RecoveryView>(viewQueryName);

// Retries serve crashes and Postgres only: a provider's refusal is a value, and its back-off a timer of the plan (rule 8).
const retry = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' } as const;
const { closeEnrollment, holdEnrollment } = proxyActivities<Activities>({ startToCloseTimeout: '15s', retry });

/**
 * One enrollment, from its start to its end: sleep until `nextMove` says otherwise, then dispatch one step. Decides nothing itself.
 * Postgres is the truth about progress, this copy is a cache; the time is Temporal's.
 */
export async function recovery({ tenantId, enrollmentId, plan, progress: stored }: RecoveryInput): Promise<RecoveryResult> {
  let progress: Progress = stored;
  let woken = false;
  // How it ends, as far as is known; `recorded`: Postgres knows it already. Only an end born here, by an operator's hand, is written back.
  let ended: FinishReason | null = progress.stopped;
  let recorded = ended !== null;
  // Dispatches in a row that left their step due at once: a worker's clock may be far behind Temporal's.
  let idleTurns = 0;
  const ids = { tenantId, enrollmentId };

  let note: string | null = null;
  const stop = (reason: FinishReason, isRecorded: boolean) => {
    woken = true;
    if (ended !== null) return;
    ended = reason;
    if (reason !== 'completed') progress = { ...progress, stopped: reason };
    recorded = isRecorded;
  };
  setHandler(stopSignal, (reason, mark) => {
    if (mark === 'recorded') return stop(asFinishReason(reason), true);
    // An operator's words are a note: "purchased" typed by hand is not a recovery (rule 12).
    note ??= noteOf(reason);
    stop('manual', false);
  });
  setHandler(wakeSignal, () => void (woken = true));
  setHandler(pauseSignal, () => hold('paused'));
  setHandler(resumeSignal, () => hold(null));
  setHandler(viewQuery, () => view(enrollmentId, plan, progress));
  let heldUnwritten = false;
  const hold = (held: 'paused' | null) => {
    if (progress.held !== held) heldUnwritten = true;
    progress = { ...progress, held };
    woken = true;
  };

  try {
    for (;;) {
      // What is signalled while a hold is written is written next: nothing else would wake this loop for it.
      while (heldUnwritten) {
        heldUnwritten = false;
        await holdEnrollment({ ...ids, held: progress.held !== null });
      }
      if (ended !== null) break;
      const move = nextMove(plan, progress, Date.now());
      if (move.kind === 'finish') {
        ended = move.reason;
        break;
      }
      woken = false;
      if (move.kind === 'wait') {
        const summary = `next: ${nextStepId(plan, progress) ?? 'end'}`;
        setCurrentDetails(`Sleeping until **${new Date(move.untilMs).toISOString()}**, then ${summary}`);
        await condition(() => woken, move.untilMs - Date.now(), { summary });
      } else if (move.kind === 'hold') {
        setCurrentDetails('Held: `temporal workflow signal --name resume` lets it go on');
        await condition(() => woken);
      } else {
        // No await between the look at the flag (in nextMove) and this: a stop that is known schedules nothing.
        const result = await dispatch({ ...ids, stepId: move.stepId }, expiryAt(plan, progress, move.stepId));
        if (result !== null) {
          // What was signalled meanwhile is newer than what the dispatch read.
          progress = { ...result.progress, held: progress.held ?? result.progress.held, stopped: progress.stopped ?? result.progress.stopped };
          if (result.ended !== null) stop(result.ended, true);
          idleTurns = isSameMove(nextMove(plan, progress, Date.now()), move) ? idleTurns + 1 : 0;
          if (idleTurns > 0 && ended === null) await condition(() => woken, Math.min(60_000, 1_000 * 2 ** idleTurns), { summary: `again: ${move.stepId}` });
        }
      }
    }
  } catch (error) {
    if (!isCancellation(error)) throw error;
    stop('cancelled', false);
  }
  const reason = await CancellationScope.nonCancellable(() => finish());
  upsertSearchAttributes({ StopReason: [reason] });
  setCurrentDetails(`Ended: ${reason}`);
  return { reason, sent: Object.values(progress.settled).filter((s) => s.outcome !== 'skipped').length };

  /** The dispatch races with the stop and is cancelled without waiting: the ledger has the truth. */
  async function dispatch(input: { tenantId: string; enrollmentId: string; stepId: string }, expiryMs: number): Promise<DispatchedStep | null> {
    const { dispatchStep } = proxyActivities<Activities>({
      startToCloseTimeout: '20s',
      // Never less than ten minutes: after a long outage the step is still dispatched, and skipped with its reason.
      scheduleToCloseTimeout: Math.max(expiryMs - Date.now(), 0) + 600_000,
      cancellationType: ActivityCancellationType.TRY_CANCEL,
      retry,
      summary: input.stepId,
    });
    setCurrentDetails(`Dispatching **${input.stepId}**`);
    const scope = new CancellationScope();
    const sending = scope.run(() => dispatchStep(input));
    try {
      const result = await Promise.race([sending, condition(() => ended !== null).then(() => null)]);
      if (result === null) {
        scope.cancel();
        await sending.catch(() => undefined);
      }
      return result;
    } catch (error) {
      if (isCancellation(error)) throw error;
      // No worker for longer than the step lives, or a fault that retrying did not cure: nothing is lost, look again in a while.
      await condition(() => woken, '1m', { summary: `retry: ${input.stepId}` });
      return null;
    }
  }

  async function finish(): Promise<FinishReason> {
    const reason = ended ?? 'completed';
    if (recorded) return reason;
    return (await closeEnrollment({ ...ids, reason, note })).reason;
  }
}

/** A reason that a newer version wrote may be unknown to this one: it ends all the same. */
function asFinishReason(reason: unknown): FinishReason {
  return reason === 'completed' ? reason : (stopReasons.find((known) => known === reason) ?? 'manual');
}

function isSameMove(next: Move, move: Move): boolean {
  return next.kind === 'dispatch' && move.kind === 'dispatch' && next.stepId === move.stepId;
}

/** An operator may type anything as JSON, and Postgres keeps no NUL in a text: neither may keep a sequence from ending. */
function noteOf(typed: unknown): string | null {
  if (typed === undefined || typed === null) return null;
  return (typeof typed === 'string' ? typed : JSON.stringify(typed)).replaceAll('\0', '');
}

function nextStepId(plan: RecoveryInput['plan'], progress: Progress): string | null {
  return plan.steps.find((s) => progress.settled[s.id] === undefined)?.id ?? null;
}

function view(enrollmentId: string, plan: RecoveryInput['plan'], progress: Progress): RecoveryView {
  const move = nextMove(plan, progress, Date.now());
  return {
    enrollmentId,
    currentStep: nextStepId(plan, progress),
    nextAt: move.kind === 'wait' ? new Date(move.untilMs).toISOString() : null,
    held: progress.held,
    settled: Object.fromEntries(Object.entries(progress.settled).map(([id, s]) => [id, s.outcome])),
    stopped: progress.stopped,
  };
}
