import type { Data } from '../../../sdk/index.ts';

type Stats = Data<'GET /api/sequences/{slug}/stats'>;

/** A stretch of the river: from one message to the next. */
export interface Stretch {
  /** The message that it begins behind; null: none has gone out yet. */
  step: string | null;
  /** People who are still in it where the stretch begins. */
  people: number;
  /** Of these, who leaves before the next message: because they bought, or otherwise. */
  bought: number;
  ended: number;
}

export interface River {
  stretches: Stretch[];
  /** Who neither bought nor left: they have got everything, or are under way. */
  completed: number;
  running: number;
  /** Who ended otherwise, by why, the most first. */
  exits: { reason: string; people: number }[];
}

/**
 * The way of people through a sequence. Everybody leaves behind the last message that they got, so the stretches and what is left at the end sum up to
 * all who began. Reactions count at the place where they stand in the list of steps.
 */
export function riverOf(stats: Stats): River {
  const steps = stats.steps.toSorted((a, b) => (a.order ?? Number.POSITIVE_INFINITY) - (b.order ?? Number.POSITIVE_INFINITY));
  const boughtLater = steps.reduce((sum, { converted }) => sum + converted, 0);
  const begin = { step: null, bought: Math.max(0, stats.converted - boughtLater), ended: stats.droppedBefore };
  const stretches: Stretch[] = [];
  let people = stats.enrolled;
  for (const { step, bought, ended } of [begin, ...steps.map((one) => ({ step: one.step, bought: one.converted, ended: one.dropped }))]) {
    stretches.push({ step, people, bought, ended });
    people = Math.max(0, people - bought - ended);
  }
  const running = Math.min(people, stats.open);
  const exits = Object.entries(stats.exited)
    .map(([reason, count]) => ({ reason, people: count }))
    .toSorted((a, b) => b.people - a.people);
  return { stretches, completed: people - running, running, exits };
}
