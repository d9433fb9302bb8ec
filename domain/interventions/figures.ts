import type { InterventionBand } from '../risk/band-move.ts';
import type { EpochMs } from '../sequence/plan.ts';
import { addUp, type Amount } from './amount.ts';
import type { Cost, UnknownCost } from './cost.ts';
import { type InterventionOutcome, interventionOutcomes, type JudgedAction } from './outcome.ts';

/** Counts of actions by what came of them. */
export type OutcomeCounts = Record<InterventionOutcome, number>;

/** An intervention as far as figures go. */
export interface CountedIntervention {
  band: InterventionBand;
  /** null: the window is not over, or nothing was done. */
  success: boolean | null;
  heldOut: boolean;
  attributed: readonly Amount[];
  actions: readonly { channel: string; outcome: InterventionOutcome | null; state: string; cost: Cost; expected: readonly Amount[] | null }[];
}

const counts = [
  'begun',
  'heldOut',
  'complete',
  'successes',
  'actions',
  ...interventionOutcomes,
  'unknownMessage',
  'unknownPeople',
  'unknownModel',
] as const;
const amounts = ['cost', 'expected', 'attributed'] as const;

/**
 * What interventions of a band add to its figures: counts in rows without a currency, amounts, in millionths of the unit, in rows with one. What is about actions
 * stands in rows of their channel, what is about interventions in rows without one. Rows are added up, and taken away, field by field.
 */
export type FigureRow = { band: InterventionBand; channel: string; currency: string } & Record<(typeof counts)[number], number> &
  Record<(typeof amounts)[number], bigint>;

const emptyRow = (band: InterventionBand, channel: string, currency: string): FigureRow => ({
  ...{ band, channel, currency, begun: 0, heldOut: 0, complete: 0, successes: 0, actions: 0 },
  ...{ pending: 0, delivered: 0, engaged: 0, converted: 0, failed: 0, ignored: 0, escalated: 0 },
  ...{ unknownMessage: 0, unknownPeople: 0, unknownModel: 0, cost: 0n, expected: 0n, attributed: 0n },
});

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

/** What one intervention counts for. */
export function rowsOf({ band, success, heldOut, attributed, actions }: CountedIntervention): FigureRow[] {
  const rows = new Map<string, FigureRow>();
  const row = (channel: string, currency: string): FigureRow => {
    const key = `${channel} ${currency}`;
    const known = rows.get(key) ?? emptyRow(band, channel, currency);
    rows.set(key, known);
    return known;
  };
  const whole = row('', '');
  whole.begun = 1;
  whole.heldOut = Number(heldOut);
  whole.complete = Number(success !== null);
  whole.successes = Number(success === true);
  for (const { currency, micros } of attributed) row('', currency).attributed += micros;
  for (const { channel, outcome, cost, expected } of actions.filter(tookPlace)) {
    const own = row(channel, '');
    own.actions += 1;
    if (outcome !== null) own[outcome] += 1;
    for (const part of cost.unknown) own[unknownField[part]] += 1;
    for (const { currency, micros } of cost.amounts) row(channel, currency).cost += micros;
    for (const { currency, micros } of expected ?? []) row(channel, currency).expected += micros;
  }
  return [...rows.values()];
}

const tookPlace = ({ state }: CountedIntervention['actions'][number]) => state === 'done' || state === 'failed';

const unknownField = { message: 'unknownMessage', people: 'unknownPeople', model: 'unknownModel' } as const satisfies Record<UnknownCost, string>;
const unknownParts: readonly UnknownCost[] = ['message', 'people', 'model'];

/** Rows added up. Sums of parts are the sum of the whole, in every currency. */
export function sumUp(rows: readonly FigureRow[]): InterventionSums {
  const count = (field: (typeof counts)[number]) => rows.reduce((sum, row) => sum + row[field], 0);
  const amount = (field: (typeof amounts)[number]) =>
    addUp(rows.flatMap((row) => (row.currency === '' ? [] : [{ currency: row.currency, micros: row[field] }]))).filter(({ micros }) => micros !== 0n);
  return {
    ...{ begun: count('begun'), heldOut: count('heldOut'), complete: count('complete'), successes: count('successes'), actions: count('actions') },
    outcomes: {
      ...{ pending: count('pending'), delivered: count('delivered'), engaged: count('engaged'), converted: count('converted') },
      ...{ failed: count('failed'), ignored: count('ignored'), escalated: count('escalated') },
    },
    cost: { amounts: amount('cost'), unknown: unknownParts.filter((part) => count(unknownField[part]) > 0) },
    expected: amount('expected'),
    attributed: amount('attributed'),
  };
}

/**
 * Until when an intervention counts for the same, whatever it is that happens by then: the end of the next window of one of its actions.
 * @returns null: for ever
 */
export function sameUntil(actions: readonly Pick<JudgedAction, 'atMs'>[], { windowMs, nowMs }: { windowMs: number; nowMs: EpochMs }): EpochMs | null {
  const ends = actions.flatMap(({ atMs }) => (atMs === null || atMs + windowMs <= nowMs ? [] : [atMs + windowMs]));
  return ends.length === 0 ? null : Math.min(...ends);
}
