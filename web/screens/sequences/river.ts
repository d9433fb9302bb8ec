import type { Data } from '../../../sdk/index.ts';

type Stats = Data<'GET /api/sequences/{slug}/stats'>;

/** A stretch of the river: from one message to the next. */
export interface Stretch {
  /** The message that it begins behind; null: none has gone out yet. */
  step: string | null;
  /** People who are still in it where the stretch begins. */
  people: number;
  /** Of these, who leaves before the next message: because they bought, or otherwise, by why. */
  bought: number;
  ended: Exit[];
}

/** Who ended otherwise than by an order, by why. */
export interface Exit {
  reason: string;
  people: number;
}

export interface River {
  stretches: Stretch[];
  /** Who neither bought nor left: they have got everything, or are under way. */
  completed: number;
  running: number;
  /** Of all stretches, the most first. */
  exits: Exit[];
}

/**
 * The way of people through a sequence. Everybody leaves behind the last message that they got, so the stretches and what is left at the end sum up to
 * all who began. Reactions count at the place where they stand in the list of steps.
 */
export function riverOf(stats: Stats): River {
  const steps = stats.steps.toSorted((a, b) => (a.order ?? Number.POSITIVE_INFINITY) - (b.order ?? Number.POSITIVE_INFINITY));
  const boughtLater = steps.reduce((sum, { converted }) => sum + converted, 0);
  const begin = { step: null, converted: Math.max(0, stats.converted - boughtLater), exited: stats.exitedBefore };
  const stretches: Stretch[] = [];
  let people = stats.enrolled;
  for (const { step, converted: bought, exited } of [begin, ...steps]) {
    const ended = exitsOf(exited);
    stretches.push({ step, people, bought, ended });
    people = Math.max(0, people - bought - peopleIn(ended));
  }
  const running = Math.min(people, stats.open);
  return { stretches, completed: people - running, running, exits: exitsOf(stats.exited) };
}

const exitsOf = (counts: Readonly<Record<string, number>>): Exit[] =>
  Object.entries(counts)
    .map(([reason, people]) => ({ reason, people }))
    .toSorted((a, b) => b.people - a.people);

export const peopleIn = (exits: readonly Exit[]): number => exits.reduce((sum, { people }) => sum + people, 0);
