import { isAboutSilence, isAboutSilentLead } from '../people/silence.ts';
import type { SequenceDefinition, StepDefinition } from './definition.ts';
import { plannedOffsetsMs } from './definition.ts';
import type { Plan, PlanStep } from './plan.ts';
import { isReaction } from './reactions.ts';
import { formsOf } from './step-of-variant.ts';
import { scaled } from './time-scale.ts';

/** A model takes its seconds at any time scale. It is never waited for beyond the step's due time. */
const leastAheadMs = 5_000;

/**
 * Compile a version for one enrollment: every span divided by the time scale, copy and conditions left behind.
 * A step that lapses with a later one expires at that one's due time, so that it never delays it. Reactions stand behind the steps that run in order.
 * @param timeScale - 1, or how many times faster than wall time the enrollment runs
 * @throws RangeError when the time scale is not a finite number from 1 up
 */
export function compilePlan(definition: SequenceDefinition, version: number, timeScale: number): Plan {
  if (!Number.isFinite(timeScale) || timeScale < 1) throw new RangeError(`A time scale is a number from 1 up, not ${timeScale}`);
  const span = (spanMs: number) => scaled(spanMs, timeScale);
  const isSilence = isAboutSilence(definition);
  // Exactly 24 h are no silence yet: what is due with the end of the quiet time is due right behind it.
  const beyondMs = isAboutSilentLead(definition) ? 1 : 0;
  const delayOf = ({ from, delayMs }: StepDefinition['due']) =>
    span(delayMs) + (from === 'anchor' && delayMs <= definition.quietForMs ? beyondMs : 0);
  const offsetsMs = plannedOffsetsMs(definition.steps);
  const offsetOf = (stepId: string) => offsetsMs[definition.steps.findIndex(({ id }) => id === stepId)];

  const steps = definition.steps.map((written): PlanStep => {
    const { id, due, channels, lapsesWith, expiresAfterMs, on } = written;
    // Of several variants, which one a person gets is not known here: the earliest is asked ahead, and finds out whether a model writes theirs.
    const aheadMs = formsOf(written).flatMap(({ model }) => (model === undefined ? [] : [model.aheadMs]));
    const ownMs = offsetOf(id);
    const lapseMs = lapsesWith === null ? undefined : offsetOf(lapsesWith);
    const lifeMs = expiresAfterMs ?? (ownMs === undefined || lapseMs === undefined ? null : lapseMs - ownMs);
    const step = {
      id,
      due: { from: due.from, delayMs: delayOf(due) },
      channels,
      expiresAfterMs: lifeMs === null ? null : span(lifeMs),
      ...(aheadMs.length === 0 ? {} : { composeAheadMs: Math.max(span(Math.max(...aheadMs)), leastAheadMs) }),
    };
    if (on === undefined) return step;
    return { ...step, on: on.event === 'asked_later' ? on : { ...on, withinMs: span(on.withinMs) } };
  });
  return {
    sequence: definition.sequence,
    version,
    timeScale,
    quietForMs: span(definition.quietForMs) + beyondMs,
    maxAgeMs: span(definition.maxAgeMs),
    stopOn: definition.stopOn,
    ...(isSilence ? { silence: true as const } : {}),
    ...(definition.onReply === undefined ? {} : { onReply: definition.onReply }),
    priority: definition.priority,
    whenCapped: definition.whenCapped ?? 'skip',
    steps: steps.some(isReaction) ? [...steps.filter((step) => !isReaction(step)), ...steps.filter(isReaction)] : steps,
  };
}
