import type { StepId } from '../sequence/plan.ts';
import type { StepChange, VersionSource } from './compare-versions.ts';
import { moveTo } from './move-to.ts';

/** Open enrollments that stand alike: on one version, with the same steps settled. */
export interface Standing {
  version: number;
  steps: readonly { id: StepId; on?: unknown }[];
  settled: readonly StepId[];
  /** How many there are. */
  count: number;
}

/** How many open enrollments have a step before them, wait for it, or are past it. */
export interface HeadCounts {
  before: number;
  at: number;
  past: number;
}

export interface Affected {
  /** Open enrollments, of all versions. */
  open: number;
  /** Of these, how many would go on in the new version, were they moved; the others have no step in common with it. */
  movable: number;
  /** In the order of the diff. Of an added step: `before` would get it if moved, `past` would not. */
  steps: (Pick<StepChange, 'step' | 'change'> & HeadCounts)[];
}

/** Who is affected by publishing a version, by the steps that it changes. */
export function headCounts(changes: readonly StepChange[], after: VersionSource['definition'], standings: readonly Standing[]): Affected {
  const sum = (counts: readonly number[]) => counts.reduce((all, n) => all + n, 0);
  const where = standings.map((standing) => {
    const settled = new Set(standing.settled);
    return {
      ...standing,
      settled,
      next: standing.steps.find(({ id, on }) => on === undefined && !settled.has(id))?.id ?? null,
      moved: moveTo(standing, after, settled),
    };
  });
  type Where = (typeof where)[number];
  const placeIn = ({ step, change }: StepChange, { steps, settled, next, moved }: Where): keyof HeadCounts | null => {
    if (settled.has(step)) return 'past';
    if (change === 'added') return moved.kind === 'stays' ? null : moved.passed.includes(step) ? 'past' : 'before';
    if (!steps.some(({ id }) => id === step)) return null;
    return next === step ? 'at' : 'before';
  };
  const countOf = (change: StepChange, place: keyof HeadCounts) => sum(where.filter((w) => placeIn(change, w) === place).map(({ count }) => count));
  return {
    open: sum(where.map(({ count }) => count)),
    movable: sum(where.filter(({ moved }) => moved.kind === 'moves').map(({ count }) => count)),
    steps: changes.map((change) => ({
      ...{ step: change.step, change: change.change },
      ...{ before: countOf(change, 'before'), at: countOf(change, 'at'), past: countOf(change, 'past') },
    })),
  };
}
