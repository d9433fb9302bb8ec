import type { Channel } from '../channels/index.ts';
import type { ClaimName } from '../claims/index.ts';
import type { SequenceArm, Variant } from '../experiments/variant.ts';
import type { ReplyPolicy } from '../people/on-reply.ts';
import type { Segment } from '../people/segments.ts';
import type { InterventionBand } from '../risk/band-move.ts';
import type { Rate } from '../rate.ts';
import type { SilenceStage } from '../people/silence-stage.ts';
import type { WeeklyWindow } from '../time/weekly-window.ts';
import type { Reaction, StepId, StopTrigger, WhenCapped } from './plan.ts';

/**
 * When a step applies, read from Postgres at dispatch (rule 9). `opened`, `clicked` and `replied` name an earlier step; `replied` alone: since the
 * anchor. `value` is the subject's, in major units of its own currency as merchants write them (`129.90`); `stock` is about the
 * units that are left of any one thing in the subject, `arm` about the person's course through a sequence that compares several. `atLeast` includes its bound, `below` does not.
 */
export type Condition =
  | 'converted'
  | { opened: StepId }
  | { clicked: StepId }
  | 'replied'
  | { replied: StepId }
  | { segment: Segment }
  | { stage: SilenceStage }
  | { value: Range }
  | { stock: Range }
  | { attribute: AttributeTest }
  | { arm: string }
  | { not: Condition }
  | { all: Condition[] }
  | { any: Condition[] };

/** From `atLeast` to before `below`; one of them at least. */
export interface Range {
  atLeast?: number | undefined;
  below?: number | undefined;
}

/** What is asked of an attribute: that it is one of some values (texts in any case), or a number in a range. */
export type AttributeTest = { name: string; is: (string | number | boolean)[] } | ({ name: string } & Range);

/** One step as its author wrote it. Spans in milliseconds of real time, before any time scale. */
export interface StepDefinition {
  id: StepId;
  due: { from: 'anchor' | 'previous' | 'event'; delayMs: number };
  /** What it reacts to, due `from` that event; absent: it is one of the steps that run in order. */
  on?: Reaction;
  /** In order of preference. Where its variants have channels of their own: all of theirs. */
  channels: Channel[];
  /** Name of the copy, e.g. `cart/email_2h`; null where the channels carry none. */
  content: string | null;
  /** The script whose text goes out, by its name; `own`: none; `chosen`, or absent: the campaign's own, else the default of the channel. */
  script?: string;
  /** A model writes it from a brief, and `content` is the template that goes out where it does not; absent: the template does. */
  model?: ModelCopy;
  /** What is compared by chance; `content` is that of the first. Absent: everybody gets the same. */
  variants?: StepVariant[];
  /** The variants are there for variety, not for comparison: each message takes one that its person has not had yet. Absent: they are compared. */
  varied?: true;
  /** Those who are drawn later get more often what brings more, and nothing is judged. Absent: the shares stay, and the comparison is a test. */
  compare?: 'bandit';
  when: Condition | null;
  /** The claim that is the point of the step: it is left out where this does not hold. Absent: none is. */
  requires?: { claim: ClaimName };
  /** A later step at whose due time this one lapses, so that it never delays that step. */
  lapsesWith: StepId | null;
  /** How long after its due time the step may still be sent; null: rule 5 decides. */
  expiresAfterMs: number | null;
  maxRetries: number;
  /** What follows once a provider has refused the message for good, or more often than `maxRetries`; absent: `skip`. */
  onFailure?: OnFailure;
  /** The hours at which it goes out, on the person's clock; absent: at any. */
  window?: WeeklyWindow;
  /** It waits for the hour at which the person reads emails; absent: it does not. */
  bestHour?: true;
  /** Of a step on the channel `task`: what a colleague is to do; absent: to call. */
  task?: StepTask;
  /** It brings an offer where the store's policy grants one; absent: it brings none. */
  offer?: StepOffer;
}

/** One of several forms of a step. What it does not say is as the step has it. */
export interface StepVariant extends Variant {
  /** In order of preference. */
  channels?: Channel[];
  /** A model writes it, and `content` is the template that goes out where it does not; absent: the template does. */
  model?: ModelCopy;
  /** `false`: it brings no offer, though the step does. */
  offer?: StepOffer | false;
}

/** What a colleague is given. `note`: what to do, in words; absent: the usual. `skill`: what they have to know. */
export interface StepTask {
  kind: (typeof stepTaskKinds)[number];
  note?: string;
  skill?: string;
}

export const stepTaskKinds = ['agent_call', 'assignment', 'escalation'] as const;

/** What becomes of a step whose person gets no offer: it goes out without the sentence about it, or is left out. */
export interface StepOffer {
  without: 'send' | 'skip';
}

/** Which brief a model writes from, e.g. `cart/nudge`, and how long before the step is due it is asked. */
export interface ModelCopy {
  brief: string;
  aheadMs: number;
}

/** Leave the step out, take its next channel, or end the sequence. */
export const failurePolicies = ['skip', 'next-channel', 'end'] as const;
export type OnFailure = (typeof failurePolicies)[number];

/** A sequence as its author wrote it: the content of a version, immutable once published. Plain JSON. */
export interface SequenceDefinition {
  /** Slug, part of the workflow's id. */
  sequence: string;
  name: string;
  /** For people; absent: none. */
  description?: string;
  /** What starts it: the trigger of a kind of subject, `manual` or `bulk`. */
  on: string;
  /** The kind that a manual or bulk sequence is about; absent otherwise. */
  about?: string;
  /** The band of risk whose entry starts it; absent where something else does. */
  band?: InterventionBand;
  /** What must hold of the subject and its person when the sequence begins to count; absent: every one of its kind is taken. */
  only?: Condition;
  quietForMs: number;
  stopOn: StopTrigger[];
  /** What a reply leads to; absent: what the store's settings say. */
  onReply?: ReplyPolicy;
  maxAgeMs: number;
  /** Who may go through it again: nobody about the same subject, whoever falls silent or into the band again, or a person once the cooldown since they last entered is over. */
  reentry: 'once-per-subject' | 'once-per-silence' | 'once-per-entry' | { cooldownMs: number };
  /** Whether one person may be in this sequence about several subjects at once; absent, as in versions before it existed: `one`. */
  together?: 'one' | 'many';
  /** Whether one person may be in it while a sequence of another campaign runs; absent, as in versions before it existed: `allow`. */
  overlap?: 'allow' | 'refuse';
  /** The share of people who get nothing, so that its effect can be measured: 0 to 50. */
  holdoutPercent: number;
  /** Courses of the whole sequence that are compared by chance; its steps ask for them (`arm`). Absent: everybody takes the same. */
  arms?: SequenceArm[];
  /** How the arms are compared, as a step’s variants. */
  compare?: 'bandit';
  /** 1 (first) to 5. */
  priority: number;
  /** Absent, as in versions before it existed: `skip`. */
  whenCapped?: WhenCapped;
  /** How many of its messages leave at most within a time; absent: as many as are due. */
  rate?: Rate;
  goal: { event: 'order.placed'; withinMs: number };
  steps: StepDefinition[];
}

/** Every step id that a condition names. */
export function stepsNamedBy(condition: Condition): StepId[] {
  return partsOf(condition).flatMap((part) => {
    if (typeof part === 'string') return [];
    if ('opened' in part) return [part.opened];
    if ('clicked' in part) return [part.clicked];
    return 'replied' in part ? [part.replied] : [];
  });
}

/** Whether a condition asks about messages, replies or a purchase, of which there are none before a sequence begins. */
export const asksAboutMessages = (condition: Condition): boolean =>
  partsOf(condition).some((part) => typeof part === 'string' || 'opened' in part || 'clicked' in part || 'replied' in part);

/** Every attribute that a condition names. */
export function attributesNamedBy(condition: Condition): string[] {
  return partsOf(condition).flatMap((part) => (typeof part !== 'string' && 'attribute' in part ? [part.attribute.name] : []));
}

/** Every arm of the sequence that a condition names. */
export function armsNamedBy(condition: Condition): string[] {
  return partsOf(condition).flatMap((part) => (typeof part !== 'string' && 'arm' in part ? [part.arm] : []));
}

/** The conditions of which one is made, without `not`, `all` and `any`. */
export function partsOf(condition: Condition): Exclude<Condition, { not: Condition } | { all: Condition[] } | { any: Condition[] }>[] {
  if (typeof condition === 'string') return [condition];
  if ('not' in condition) return partsOf(condition.not);
  if ('all' in condition) return condition.all.flatMap(partsOf);
  return 'any' in condition ? condition.any.flatMap(partsOf) : [condition];
}

/**
 * Each step's planned distance from the anchor if every step goes out on time, in the order of the steps. A reaction's is the earliest possible: what it
 * waits for happens at once.
 * @returns milliseconds of real time
 */
export function plannedOffsetsMs(steps: readonly Pick<StepDefinition, 'id' | 'due' | 'on'>[]): number[] {
  let previousMs = 0;
  const offsetsMs: number[] = [];
  for (const { due, on } of steps) {
    if (due.from === 'event') {
      const message = on === undefined || on.event === 'asked_later' ? -1 : steps.findIndex(({ id }) => id === on.step);
      offsetsMs.push((offsetsMs[message] ?? 0) + due.delayMs);
      continue;
    }
    previousMs = due.from === 'anchor' ? due.delayMs : previousMs + due.delayMs;
    offsetsMs.push(previousMs);
  }
  return offsetsMs;
}
