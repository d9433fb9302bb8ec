import type { EpochMs, Plan, PlanStep, Progress, Reaction } from './plan.ts';

/** A step that is inserted once, when something has happened. */
export type ReactionStep = PlanStep & { on: Reaction };

export const isReaction = (step: PlanStep): step is ReactionStep => step.on !== undefined;

/** How many steps run in order; the reactions stand behind them in a plan. */
export function orderedCount({ steps }: Plan): number {
  let count = steps.length;
  while (count > 0 && steps[count - 1]?.on !== undefined) count -= 1;
  return count;
}

/**
 * From when a reaction's delay counts: the open or the click, or the time for which the person asked.
 * @returns null: it has not happened, or too late after the message to count
 */
export function happenedAt({ on }: ReactionStep, progress: Progress): EpochMs | null {
  if (on.event === 'asked_later') return progress.snoozes?.findLast(({ by }) => by === undefined)?.untilMs ?? null;
  const atMs = (on.event === 'opened' ? progress.opened : progress.clicked)?.[on.step];
  const untilMs = countsUntil(on, progress);
  return atMs === undefined || untilMs === null || atMs > untilMs ? null : atMs;
}

/**
 * Until when the sequence waits for what its reactions wait for, after its other steps.
 * @returns epoch ms; null: nothing can happen any more
 */
export function listensUntil(plan: Plan, progress: Progress): EpochMs | null {
  let latestMs: EpochMs | null = null;
  for (const step of plan.steps) {
    if (!isReaction(step) || progress.settled[step.id] !== undefined || step.on.event === 'asked_later') continue;
    const untilMs = countsUntil(step.on, progress);
    if (untilMs !== null && happenedAt(step, progress) === null) latestMs = Math.max(latestMs ?? untilMs, untilMs);
  }
  return latestMs;
}

/** An open or a click counts for so long after the message; null: the message did not go out. */
function countsUntil(on: Exclude<Reaction, { event: 'asked_later' }>, { settled }: Progress): EpochMs | null {
  const message = settled[on.step];
  return message === undefined || message.outcome === 'skipped' ? null : message.atMs + on.withinMs;
}
