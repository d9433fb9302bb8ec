import type { StepTask } from '../sequence/definition.ts';
import { addUp, type Amount, microsOf } from './amount.ts';

/** An amount as a store enters it: a decimal in major units, such as `0.0079`. */
export interface Price {
  amount: string;
  currency: string;
}

/** What the store's interventions cost it, as it has entered that. */
export interface InterventionCosts {
  /** For one message, by channel. A channel that is left out: nobody knows. */
  messages: Readonly<Record<string, Price>>;
  /** Per hour of a colleague's work; null: unknown. */
  peoplePerHour: Price | null;
  /** How long a task takes, by its kind. */
  minutes: Readonly<Record<StepTask['kind'], number>>;
  /** The currency in which the provider of models is paid; null: nobody has said, and what a model has cost is unknown. */
  modelCurrency: string | null;
}

/** How many minutes of a colleague's time a task takes where the store has not said. */
export const usualMinutes = { agent_call: 15, assignment: 30, escalation: 20 };

/** What is not known of a cost. */
export type UnknownCost = 'message' | 'people' | 'model';

/** What an action costs. With something unknown, the amounts are no total. */
export interface Cost {
  amounts: Amount[];
  unknown: UnknownCost[];
}

/** One action, as far as its cost goes. */
export interface CostlyAction {
  channel: string;
  /** The colleague's part; null: it needs none. */
  task: StepTask['kind'] | null;
  /** What a model has cost for its text, in millionths; null: none wrote. */
  modelMicros: number | null;
}

/** What one action costs by the store's settings: its message, the time of a colleague, and the model that wrote its text. */
export function costOf(costs: InterventionCosts, { channel, task, modelMicros }: CostlyAction): Cost {
  const amounts: Amount[] = [];
  const unknown: UnknownCost[] = [];
  const add = (price: Price | null | undefined, part: UnknownCost, times: (micros: bigint) => bigint = (micros) => micros) => {
    const micros = price == null ? null : microsOf(price.amount);
    if (price == null || micros === null) unknown.push(part);
    else amounts.push({ currency: price.currency, micros: times(micros) });
  };
  // A task costs a colleague's time, and no message.
  if (task === null) add(costs.messages[channel], 'message');
  else add(costs.peoplePerHour, 'people', (perHour) => (perHour * BigInt(costs.minutes[task])) / 60n);
  if (modelMicros !== null && modelMicros > 0) {
    if (costs.modelCurrency === null) unknown.push('model');
    else amounts.push({ currency: costs.modelCurrency, micros: BigInt(modelMicros) });
  }
  return { amounts: addUp(amounts), unknown };
}

/** The cost of several actions together. */
export const totalCost = (costs: readonly Cost[]): Cost => ({
  amounts: addUp(costs.flatMap(({ amounts }) => amounts)),
  unknown: [...new Set(costs.flatMap(({ unknown }) => unknown))],
});
