import type { Rehearsal } from '../rehearsal/rehearse.ts';
import type { EpochMs, StepId } from '../sequence/plan.ts';

/** How a step ended, so long after the anchor. */
export interface StepEnd {
  step: StepId;
  kind: 'sent' | 'skipped';
  /** The channel of `sent`. */
  reason: string;
  afterMs: number;
}

/** What a rehearsal came to: the end of each step that it reached, and its own. */
export interface Rehearsed {
  steps: StepEnd[];
  ended: { reason: string; afterMs: number } | null;
}

export const rehearsedOf = ({ log, finished }: Rehearsal, anchorMs: EpochMs): Rehearsed => ({
  steps: log.flatMap((entry): StepEnd[] => {
    const afterMs = entry.atMs - anchorMs;
    if (entry.kind === 'sent') return [{ step: entry.step, kind: 'sent', reason: entry.channel, afterMs }];
    return entry.kind === 'skipped' ? [{ step: entry.step, kind: 'skipped', reason: entry.reason, afterMs }] : [];
  }),
  ended: finished === null ? null : { reason: finished.reason, afterMs: finished.atMs - anchorMs },
});

/** A step that came out otherwise than in the rehearsal. Null: it was not reached. */
export interface Difference {
  step: StepId;
  shadow: StepEnd | null;
  rehearsed: StepEnd | null;
}

/**
 * Where a shadow run and its rehearsal part. Of a run that is still going on, only the steps that it has done are compared.
 * @param run.ended - it has reached its end, so a step that it has not done is not to come
 * @param slackMs - how much later than the rehearsal a step may be, because something had to ask first
 */
export function compareShadow(run: { steps: readonly StepEnd[]; ended: boolean }, rehearsed: Rehearsed, slackMs: number): Difference[] {
  const ids = [...new Set([...run.steps, ...rehearsed.steps].map(({ step }) => step))];
  return ids.flatMap((step): Difference[] => {
    const shadow = run.steps.find((s) => s.step === step) ?? null;
    const other = rehearsed.steps.find((s) => s.step === step) ?? null;
    if (shadow === null && !run.ended) return [];
    const same =
      shadow !== null &&
      other !== null &&
      shadow.kind === other.kind &&
      shadow.reason === other.reason &&
      // A skipped step has no due time to compare: the moment when the skip was noticed means nothing.
      (shadow.kind === 'skipped' || Math.abs(shadow.afterMs - other.afterMs) <= slackMs);
    return same ? [] : [{ step, shadow, rehearsed: other }];
  });
}
