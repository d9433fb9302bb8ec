import { z } from 'zod';
import type { Holdout } from '../../../operations/read/holdouts.ts';

const bounds = z.object({ low: z.number(), high: z.number() });
const figure = z.object({ value: z.number(), interval: bounds });
const missing = z.object({ people: z.int(), conversions: z.int() });

/** What a sequence caused, by its holdout. */
export const effectSchema = z
  .object({
    definition: z.string(),
    n: z.object({ treated: z.int(), holdout: z.int() }).meta({ description: 'People whose window is over.' }),
    state: z.enum(['enough', 'not_enough', 'unsound']).meta({
      description:
        '`not_enough`: an arm lacks people or conversions, and nothing can be said; `missing` says how many. `unsound`: the arms hold not as many people as they should (`sample_ratio`), and nothing may be believed.',
    }),
    missing: z.object({ treated: missing, holdout: missing }),
    people_to_find_lift: z
      .int()
      .nullable()
      .meta({ description: 'In both arms, to find a lift of 20 % with a chance of 80 % at these shares; null: nobody held out has converted.' }),
    difference: figure.nullable().meta({ description: 'Percentage points, treated less held out, with Newcombe’s 95 % interval.' }),
    lift: figure.nullable().meta({ description: 'Relative, in percent, on the logarithm of the ratio (ADR 92); null: an arm has no conversion.' }),
    conversions: figure.nullable().meta({ description: 'People who would not have converted: the difference times the people treated.' }),
    revenue: z
      .array(
        z.object({
          currency: z.string(),
          per_person: figure.meta({ description: 'Net, minor units, everybody counted, by Welch.' }),
          lift: figure.nullable().meta({ description: 'Relative, in percent.' }),
          total: figure.meta({ description: 'Net, minor units: the difference times the people treated.' }),
        }),
      )
      .meta({ description: 'By currency; those in which nobody bought are left out.' }),
  })
  .meta({ id: 'HoldoutEffect' });

type Figure = { value: number; interval: { low: number; high: number } };
const scaled = ({ value, interval: { low, high } }: Figure, by: number, digits: number): Figure => {
  const rounded = (number: number) => Number((number * by).toFixed(digits));
  return { value: rounded(value), interval: { low: rounded(low), high: rounded(high) } };
};

export function presentEffect({ effect, revenue, arms: [treated, holdout] }: Holdout): z.input<typeof effectSchema> {
  const { state, missing: lacks, peopleToFindLift, difference, lift, conversions } = effect;
  return {
    definition:
      'People who were to get messages less people held out: ordered within the window after they were assigned, whatever became of either.',
    n: { treated: treated.complete, holdout: holdout.complete },
    ...{ state, missing: lacks, people_to_find_lift: peopleToFindLift },
    difference: difference === null ? null : scaled(difference, 100, 3),
    lift: lift === null ? null : scaled({ value: lift.lift, interval: lift.interval }, 100, 2),
    conversions: conversions === null ? null : scaled(conversions, 1, 1),
    revenue: revenue.map(({ currency, perPerson, lift: relative, total }) => ({
      currency,
      per_person: scaled({ value: perPerson.difference, interval: perPerson.interval }, 1, 2),
      lift: relative === null ? null : scaled({ value: relative.lift, interval: relative.interval }, 100, 2),
      total: scaled(total, 1, 0),
    })),
  };
}
