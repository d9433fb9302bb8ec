import { activates } from '../gates/verdict.ts';
import type { Verdict } from '../gates/verdict.ts';
import type { EpochMs, Progress, StepId, StepOutcome, StopReason } from './plan.ts';

/** The progress of an enrollment that just began. @param anchorMs - what delays count from: the subject's last activity */
export function initialProgress(anchorMs: EpochMs): Progress {
  return { anchorMs, activatedAtMs: null, settled: {}, notBeforeMs: {}, held: null, stopped: null };
}

/** A step ended. The first outcome stays, but proof of a send turns `unknown` and `skipped` into `sent` (docs/fence.md). */
export function settle(progress: Progress, stepId: StepId, outcome: StepOutcome, atMs: EpochMs): Progress {
  const before = progress.settled[stepId];
  if (before !== undefined && (before.outcome === 'sent' || outcome !== 'sent')) return progress;
  return { ...progress, settled: { ...progress.settled, [stepId]: { outcome, atMs } } };
}

/** A step was put off. @param anchorMs - given when activity moved the anchor, and with it every due time */
export function defer(progress: Progress, stepId: StepId, untilMs: EpochMs, anchorMs: EpochMs = progress.anchorMs): Progress {
  return { ...progress, anchorMs, notBeforeMs: { ...progress.notBeforeMs, [stepId]: untilMs } };
}

/** The enrollment was stopped. The first reason stays. */
export function stop(progress: Progress, reason: StopReason): Progress {
  return progress.stopped === null ? { ...progress, stopped: reason } : progress;
}

/**
 * What a verdict leaves behind, to be written in the transaction that stored it. `send` settles nothing: only the provider's
 * answer does. `hold` leaves `held` as it is: the facts already said so.
 * @param atMs - the instant the verdict was made for
 */
export function afterVerdict(progress: Progress, stepId: StepId, verdict: Verdict, atMs: EpochMs): Progress {
  const activated = progress.activatedAtMs === null && activates(verdict) ? { ...progress, activatedAtMs: atMs } : progress;
  switch (verdict.kind) {
    case 'send':
    case 'hold':
      return activated;
    case 'defer':
      return defer(activated, stepId, verdict.untilMs, verdict.anchorMs);
    case 'skip':
      return settle(activated, stepId, 'skipped', atMs);
    case 'stop':
      return stop(activated, verdict.reason);
  }
}
