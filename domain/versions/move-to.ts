import type { StepId } from '../sequence/plan.ts';

interface Ordered {
  steps: readonly { id: StepId }[];
}

/**
 * Where an enrollment stands in another version of its sequence. `passed`: steps of that version that lie before its place and were not done; they
 * are left out. `stays`: no step says where it would stand, so it keeps its version.
 */
export type Moved = { kind: 'moves'; passed: StepId[] } | { kind: 'stays' };

/**
 * Find the place of an enrollment in another version by the steps that both have. It is after the step that it did last; where that one is gone, at the step
 * that it waits for; else after an earlier one that it did. It never goes back behind a step that was done, and a step that was done is not done again.
 * @param settled - the ids of its settled steps
 */
export function moveTo(from: Ordered, to: Ordered, settled: ReadonlySet<StepId>): Moved {
  const placeOf = (id: StepId | undefined) => to.steps.findIndex((step) => step.id === id);
  const done = from.steps.filter(({ id }) => settled.has(id));
  const lastDone = to.steps.findLastIndex(({ id }) => settled.has(id));
  const afterLast = placeOf(done.at(-1)?.id) + 1;
  const atNext = placeOf(from.steps.find(({ id }) => !settled.has(id))?.id);
  if (done.length > 0 && lastDone < 0 && atNext < 0) return { kind: 'stays' };
  const place = afterLast > 0 ? afterLast : done.length > 0 && atNext >= 0 ? atNext : 0;
  return { kind: 'moves', passed: to.steps.slice(0, Math.max(place, lastDone + 1)).flatMap(({ id }) => (settled.has(id) ? [] : [id])) };
}
