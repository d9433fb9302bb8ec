import type { StepId } from '../sequence/plan.ts';

interface Steps {
  /** `on`: it is a reaction, which has no place in the order. */
  steps: readonly { id: StepId; on?: unknown }[];
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
export function moveTo(from: Steps, to: Steps, settled: ReadonlySet<StepId>): Moved {
  const [before, after] = [orderOf(from), orderOf(to)];
  const done = before.filter((id) => settled.has(id));
  const lastDone = after.findLastIndex((id) => settled.has(id));
  const afterLast = placeOf(after, done.at(-1)) + 1;
  const atNext = placeOf(
    after,
    before.find((id) => !settled.has(id)),
  );
  if (done.length > 0 && lastDone < 0 && atNext < 0) return { kind: 'stays' };
  const place = afterLast > 0 ? afterLast : done.length > 0 && atNext >= 0 ? atNext : 0;
  return { kind: 'moves', passed: after.slice(0, Math.max(place, lastDone + 1)).filter((id) => !settled.has(id)) };
}

const orderOf = ({ steps }: Steps) => steps.flatMap(({ id, on }) => (on === undefined ? [id] : []));
const placeOf = (order: readonly StepId[], id: StepId | undefined) => (id === undefined ? -1 : order.indexOf(id));
