import { unwrap } from '../sdk/index.ts';
import { asGiven, type Command, type Row, shown, UsageError } from './command.ts';

/** What messages are credited with, and what they caused. */
export const attribution: Command = {
  summary: 'what messages are credited with, beside what they caused',
  usage: `rekindle attribution [--model <model>] [--by <what>] [--days <n>]

--model   last (default), linear, position (40/20/40) or time_decay
--by      sequence (default), step, channel, variant, campaign or source
--days    orders of so many days; default 30`,
  example: 'rekindle attribution --model time_decay --by channel',
  takes: 0,
  options: { model: { type: 'string' }, by: { type: 'string' }, days: { type: 'string' } },
  async run({ store, options }) {
    const { model, by } = options;
    const days = options['days'] === undefined ? undefined : Number(options['days']);
    if (days !== undefined && !Number.isInteger(days)) throw new UsageError('--days is a whole number, such as 30.');
    const data = unwrap(await store.attribution.get(asGiven({ model, by, days })));
    const credits = data.credits.map(({ key, orders, revenue }) => `${key === '' ? 'none' : key}  ${orders.toFixed(2)} orders  ${amounts(revenue)}`);
    return {
      data,
      lines: [
        data.definition,
        ...(credits.length === 0 ? ['No order was preceded by a message.'] : credits),
        ...data.incremental.sequences.map(({ sequence, effect }) => `${sequence}, by its holdout: ${effectOf(effect)}`),
      ],
    };
  },
};

const amounts = (revenue: readonly Row[]) => revenue.map((one) => `${shown(one['net'])} ${shown(one['currency'])}`).join(', ');

interface ShownEffect {
  state: string;
  missing: Record<'treated' | 'holdout', { people: number; conversions: number }>;
  difference: { value: number; interval: { low: number; high: number } } | null;
}

function effectOf({ state, missing, difference }: ShownEffect): string {
  const { treated, holdout } = missing;
  if (state === 'unsound') return 'nothing may be believed, the arms hold not as many people as they should';
  if (state === 'not_enough')
    return `not enough data, missing are ${treated.people} people and ${treated.conversions} conversions among those treated, ${holdout.people} and ${holdout.conversions} among those held out`;
  if (difference === null) return 'nobody was counted';
  const { value, interval } = difference;
  return `${value.toFixed(2)} percentage points more convert (95 %: ${interval.low.toFixed(2)} to ${interval.high.toFixed(2)})`;
}
