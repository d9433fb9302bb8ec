import {
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
  patched,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { expiryAt, readyAt } from '../domain/sequence/due.ts';
import { type ComposedFor, moveWithComposing } from '../domain/sequence/compose-ahead.ts';
import { nextMove } from '../domain/sequence/next-move.ts';
import type { FinishReason, Progress } from '../domain/sequence/plan.ts';
import type { Activities, RecoveryInput, RecoveryResult } from './contract.ts';
import { answerStepUpdates } from './act-on-step.ts';
import { composeAhead } from './compose.ts';
import { dispatchOrStop, retry } from './dispatch.ts';
import { nextStepId, viewOf } from './recovery-view.ts';
import { asFinishReason, noteOf, pauseSignal, resumeSignal, stopSignal, viewQuery, wakeSignal } from './signals.ts';

const { closeEnrollment, holdEnrollment, readProgress } = proxyActivities<Activities>({ startToCloseTimeout: '15s', retry });

/**
 * One enrollment, from its start to its end: sleep until `nextMove` says otherwise, then dispatch one step. Decides nothing itself.
 * Postgres is the truth about progress, this copy is a cache; the time is Temporal's.
 */
export async function recovery({ tenantId, enrollmentId, plan: started, progress: stored }: RecoveryInput): Promise<RecoveryResult> {
  const ids = { tenantId, enrollmentId };
  let plan = started;
  let progress: Progress = stored;
  let woken = false;
  // Something has happened that Postgres knows and this copy does not.
  let stale = false;
  let heldUnwritten = false;
  // How it ends, as far as is known; `recorded`: Postgres knows it already. Only an end that an operator caused in Temporal is written back.
  let ended: FinishReason | null = progress.stopped;
  let recorded = ended !== null;
  let note: string | null = null;
  let resumedAtMs: number | null = null;
  let composedFor: ComposedFor = {};
  // Dispatches in a row that left their step due at once: a worker's clock may be far behind Temporal's.
  let idleTurns = 0;

  const end = (reason: FinishReason, isRecorded: boolean) => {
    woken = true;
    if (ended !== null) return;
    ended = reason;
    recorded = isRecorded;
    if (reason !== 'completed') progress = { ...progress, stopped: reason };
  };
  const hold = (held: 'paused' | null) => {
    woken = true;
    if (progress.held !== held) heldUnwritten = true;
    if (held === null) resumedAtMs = Date.now();
    progress = { ...progress, held };
  };
  setHandler(stopSignal, (reason, mark) => {
    if (mark === 'recorded') return end(asFinishReason(reason), true);
    // An operator's text is a note: "purchased" typed by hand is not a recovery (rule 12).
    note ??= noteOf(reason);
    end('manual', false);
  });
  const wake = () => {
    woken = true;
    stale = true;
  };
  setHandler(wakeSignal, wake, { description: 'Check again: something that a running sequence reacts to has happened' });
  setHandler(pauseSignal, () => hold('paused'), { description: 'Pause; due times do not move' });
  setHandler(resumeSignal, () => hold(null), { description: 'Resume' });
  // What was done to a step is in Postgres: this copy is read anew.
  answerStepUpdates(ids, () => ended !== null, wake);
  setHandler(viewQuery, () => viewOf(enrollmentId, plan, progress), { description: 'Where the sequence stands' });

  try {
    for (;;) {
      // A signal that arrives while a hold is being written is handled next: nothing else would wake this loop for it.
      while (heldUnwritten) {
        heldUnwritten = false;
        await holdEnrollment({ ...ids, held: progress.held !== null });
      }
      if (ended !== null) break;
      if (stale) {
        stale = false;
        if (patched('wake-reads-progress')) {
          const known = await readProgress({ ...ids, version: plan.version });
          // Resumed by the API: what waited meanwhile was not late.
          if (progress.held !== null && known.progress.held === null && !heldUnwritten) resumedAtMs = Date.now();
          progress = {
            ...known.progress,
            held: heldUnwritten ? progress.held : known.progress.held,
            stopped: progress.stopped ?? known.progress.stopped,
          };
          if (known.plan !== undefined) plan = known.plan;
          if (known.ended !== null) end(known.ended, true);
          continue;
        }
      }
      // A plan without a model's texts needs no marker: its history is the same with and without composing.
      const composes = plan.steps.some(({ composeAheadMs }) => composeAheadMs !== undefined) && patched('composes-ahead');
      const move = composes ? moveWithComposing(plan, progress, Date.now(), composedFor) : nextMove(plan, progress, Date.now());
      woken = false;
      if (move.kind === 'compose') {
        composedFor = { ...composedFor, [move.stepId]: move.dueMs };
        const step = { ...ids, stepId: move.stepId, dueMs: move.dueMs };
        await composeAhead(
          step,
          () => ended !== null,
          () => woken,
        );
      } else if (move.kind === 'finish') {
        ended = move.reason;
      } else if (move.kind === 'wait') {
        const summary = `next: ${nextStepId(plan, progress) ?? 'end'}`;
        setCurrentDetails(`Sleeping until **${new Date(move.untilMs).toISOString()}**; ${summary}`);
        await condition(() => woken, move.untilMs - Date.now(), { summary });
      } else if (move.kind === 'hold') {
        setCurrentDetails('On hold: `temporal workflow signal --name resume` resumes it');
        await condition(() => woken);
      } else {
        // No await between reading the flag and this: after a known stop nothing is scheduled.
        const step = { ...ids, stepId: move.stepId, ...(resumedAtMs === null ? {} : { resumedAtMs }) };
        const result = await dispatchOrStop(
          step,
          readyAt(plan, progress, move.stepId),
          expiryAt(plan, progress, move.stepId),
          () => ended !== null,
          () => woken,
        );
        if (result === null) continue;
        // What was signalled meanwhile is newer than what the dispatch read.
        progress = { ...result.progress, held: progress.held ?? result.progress.held, stopped: progress.stopped ?? result.progress.stopped };
        if (result.ended !== null) end(result.ended, true);
        if (result.stale === true && patched('wake-reads-progress')) {
          stale = true;
          continue;
        }
        const next = nextMove(plan, progress, Date.now());
        idleTurns = next.kind === 'dispatch' && next.stepId === move.stepId ? idleTurns + 1 : 0;
        if (idleTurns > 0 && ended === null)
          await condition(() => woken, Math.min(60_000, 1_000 * 2 ** idleTurns), { summary: `again: ${move.stepId}` });
      }
    }
  } catch (error) {
    if (!isCancellation(error)) throw error;
    end('cancelled', false);
  }
  const reason = await CancellationScope.nonCancellable(async () => {
    const known = ended ?? 'completed';
    // Whoever waits for the answer to an update gets one.
    await condition(allHandlersFinished);
    return recorded ? known : (await closeEnrollment({ ...ids, reason: known, note })).reason;
  });
  upsertSearchAttributes({ StopReason: [reason] });
  setCurrentDetails(`Ended: ${reason}`);
  return { reason };
}
