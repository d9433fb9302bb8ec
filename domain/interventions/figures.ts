import { addUp, type Amount } from './amount.ts';
import { type Cost, totalCost } from './cost.ts';
import { type InterventionOutcome, interventionOutcomes } from './outcome.ts';

/** Counts of actions by what came of them. */
export type OutcomeCounts = Record<InterventionOutcome, number>;

/** An intervention as far as figures go. */
export interface CountedIntervention {
  /** null: the window is not over, or nothing was done. */
  success: boolean | null;
  heldOut: boolean;
  attributed: readonly Amount[];
  actions: readonly { channel: string; outcome: InterventionOutcome | null; state: string; cost: Cost; expected: readonly Amount[] | null }[];
}

/** What some interventions did and cost. What is only planned costs nothing yet. */
export interface InterventionSums {
  begun: number;
  heldOut: number;
  /** Of which it is known whether they succeeded. */
  complete: number;
  successes: number;
  /** That took place. */
  actions: number;
  outcomes: OutcomeCounts;
  cost: Cost;
  expected: Amount[];
  attributed: Amount[];
}

/** Add interventions up. Sums of parts are the sum of the whole, in every currency. */
export function sumUp(interventions: readonly CountedIntervention[]): InterventionSums {
  const actions = interventions.flatMap((one) => one.actions).filter(tookPlace);
  return {
    begun: interventions.length,
    heldOut: interventions.filter(({ heldOut }) => heldOut).length,
    complete: interventions.filter(({ success }) => success !== null).length,
    successes: interventions.filter(({ success }) => success === true).length,
    ...sumActions(actions),
    expected: addUp(actions.flatMap(({ expected }) => expected ?? [])),
    attributed: addUp(interventions.flatMap(({ attributed }) => attributed)),
  };
}

/** Two sums as one. */
export function combine(one: InterventionSums, other: InterventionSums): InterventionSums {
  const sum = (of: 'begun' | 'heldOut' | 'complete' | 'successes' | 'actions') => one[of] + other[of];
  return {
    ...{ begun: sum('begun'), heldOut: sum('heldOut'), complete: sum('complete'), successes: sum('successes'), actions: sum('actions') },
    outcomes: countsOf((outcome) => one.outcomes[outcome] + other.outcomes[outcome]),
    cost: totalCost([one.cost, other.cost]),
    expected: addUp([...one.expected, ...other.expected]),
    attributed: addUp([...one.attributed, ...other.attributed]),
  };
}

/** What the actions of some interventions did and cost, by channel. */
export function sumByChannel(interventions: readonly CountedIntervention[]): Map<string, Pick<InterventionSums, 'actions' | 'outcomes' | 'cost'>> {
  const actions = interventions.flatMap((one) => one.actions).filter(tookPlace);
  return new Map(
    [...new Set(actions.map(({ channel }) => channel))].map((channel) => [channel, sumActions(actions.filter((a) => a.channel === channel))]),
  );
}

type Action = CountedIntervention['actions'][number];

const tookPlace = ({ state }: Action) => state === 'done' || state === 'failed';

const sumActions = (actions: readonly Action[]) => ({
  actions: actions.length,
  outcomes: countsOf((outcome) => actions.filter((action) => action.outcome === outcome).length),
  cost: totalCost(actions.map(({ cost }) => cost)),
});

const countsOf = (count: (outcome: InterventionOutcome) => number): OutcomeCounts => {
  const [pending, delivered, engaged, converted, failed, ignored, escalated] = interventionOutcomes.map(count);
  return {
    ...{ pending: pending ?? 0, delivered: delivered ?? 0, engaged: engaged ?? 0, converted: converted ?? 0 },
    ...{ failed: failed ?? 0, ignored: ignored ?? 0, escalated: escalated ?? 0 },
  };
};

/** Nothing. */
export const noSums = (): InterventionSums => sumUp([]);
