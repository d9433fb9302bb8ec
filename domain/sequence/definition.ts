import type { Channel } from '../channels/index.ts';
import type { Segment } from '../people/segments.ts';
import type { StepId, StopTrigger, WhenCapped } from './plan.ts';

/**
 * When a step applies, read from Postgres at dispatch (rule 9). `opened` and `clicked` name an earlier step. `value` is the
 * subject's, in major units of its own currency as merchants write them (`129.90`): `atLeast` includes its bound, `below` does not.
 */
export type Condition =
  | 'converted'
  | { opened: StepId }
  | { clicked: StepId }
  | { segment: Segment }
  | { value: { atLeast?: number | undefined; below?: number | undefined } }
  | { not: Condition }
  | { all: Condition[] }
  | { any: Condition[] };

/** One step as its author wrote it. Spans in milliseconds of real time, before any time scale. */
export interface StepDefinition {
  id: StepId;
  due: { from: 'anchor' | 'previous'; delayMs: number };
  /** In order of preference. */
  channels: Channel[];
  /** Name of the copy, e.g. `cart/email_2h`; null where the channels carry none. */
  content: string | null;
  when: Condition | null;
  /** A later step at whose due time this one lapses, so that it never delays that step. */
  lapsesWith: StepId | null;
  /** How long after its due time the step may still be sent; null: rule 5 decides. */
  expiresAfterMs: number | null;
  maxRetries: number;
}

/** A sequence as its author wrote it: the content of a version, immutable once published. Plain JSON. */
export interface SequenceDefinition {
  /** Slug, part of the workflow's id. */
  sequence: string;
  name: string;
  /** What starts it: the trigger of a kind of subject. */
  on: string;
  quietForMs: number;
  stopOn: StopTrigger[];
  maxAgeMs: number;
  /** Who may go through it again: nobody about the same subject, or a person once the cooldown since they last entered is over. */
  reentry: 'once-per-subject' | { cooldownMs: number };
  /** Whether one person may be in this sequence about several subjects at once; absent, as in versions before it existed: `one`. */
  together?: 'one' | 'many';
  holdoutPercent: 0;
  /** 1 (first) to 5. */
  priority: number;
  /** Absent, as in versions before it existed: `skip`. */
  whenCapped?: WhenCapped;
  goal: { event: 'order.placed'; withinMs: number };
  steps: StepDefinition[];
}

/** Every step id that a condition names. */
export function stepsNamedBy(condition: Condition): StepId[] {
  if (condition === 'converted') return [];
  if ('opened' in condition) return [condition.opened];
  if ('clicked' in condition) return [condition.clicked];
  if ('not' in condition) return stepsNamedBy(condition.not);
  if ('all' in condition) return condition.all.flatMap(stepsNamedBy);
  if ('any' in condition) return condition.any.flatMap(stepsNamedBy);
  return [];
}

/**
 * Each step's planned distance from the anchor if every step goes out on time, in the order of the steps.
 * @returns milliseconds of real time
 */
export function plannedOffsetsMs(steps: readonly Pick<StepDefinition, 'due'>[]): number[] {
  let previousMs = 0;
  return steps.map(({ due }) => {
    previousMs = due.from === 'anchor' ? due.delayMs : previousMs + due.delayMs;
    return previousMs;
  });
}
