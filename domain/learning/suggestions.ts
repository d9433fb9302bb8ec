import type { Channel } from '../channels/index.ts';
import type { Condition, SequenceDefinition, StepDefinition } from '../sequence/definition.ts';
import { armsNamedBy, plannedOffsetsMs, stepsNamedBy } from '../sequence/definition.ts';
import { formatDuration } from '../sequence/duration.ts';
import type { LargestDropOff } from './drop-off.ts';

/** What is changed for one half of the people. */
export const suggestionKinds = ['channel', 'hour', 'delay', 'shorter', 'text'] as const;
export type SuggestionKind = (typeof suggestionKinds)[number];

/** Where a suggestion comes from: what a sequence loses, a delay that did better in a test of its own, the hours at which a channel sells, or words that texts do better with. */
export const suggestionSources = ['drop_off', 'delay_test', 'hours', 'phrases'] as const;
export type SuggestionSource = (typeof suggestionSources)[number];

/** A change that is worth a comparison, drafted as one: half of the people get it, and the test says whether it is better. */
export interface Suggestion {
  kind: SuggestionKind;
  step: string;
  /** What the change is, in a sentence. */
  change: string;
  /** The sequence with the comparison in it. */
  draft: SequenceDefinition;
  /** The text that it needs and that nobody has written yet; absent: none. */
  redraft?: Redraft;
}

/** A text of a step, to be written again with a phrase in it. */
export interface Redraft {
  channel: Channel;
  phrase: string;
  /** Names of texts: that of the step as it is, and that of the new one. */
  of: string;
  content: string;
}

const hourMs = 3_600_000;
/** A step that goes out as much later as this and more is another step. */
const longestDelayMs = 24 * hourMs;

/**
 * What to try where a sequence loses most, drafted as a comparison by chance. Nothing of it is in use until somebody approves it.
 * @param hasText - whether the step has a text for that channel
 * @returns null: there is nothing to draft, because the sequence compares something already, the step is gone, or others ask about its message
 * Source: docs/rules.md#rule-125
 */
export function suggestionFor(
  definition: SequenceDefinition,
  { step: stepId, because, bestHours }: LargestDropOff,
  hasText: (step: StepDefinition, channel: 'sms') => boolean,
): Suggestion | null {
  const index = definition.steps.findIndex(({ id }) => id === stepId);
  const step = definition.steps[index];
  if (step === undefined || step.on !== undefined || comparesAlready(definition)) return null;
  switch (because) {
    case 'late_in_the_sequence':
      return shorter(definition, index);
    case 'time_of_day':
      return bestHours === null ? null : atOtherHours(definition, index, bestHours);
    case 'email':
      // Without a text for it, the next best thing to try.
      return (hasText(step, 'sms') ? byText(definition, index) : null) ?? later(definition, index);
    case 'other':
      return later(definition, index);
  }
}

/** A second comparison would make the first one’s people fewer, and neither sooner certain. */
const comparesAlready = ({ arms: of, steps }: SequenceDefinition): boolean =>
  of !== undefined ||
  steps.some(({ variants, varied, when }) => (variants !== undefined && varied !== true) || (when !== null && armsNamedBy(when).length > 0));

/**
 * The delay that did better in a test that is over, beside the one that the step has still: it is asked again, because the z test that found it is right for one
 * look only, and a test of variants at every look.
 * @param delays - what was compared, in milliseconds of real time, after what the step counts from
 * @returns null: the step has another delay by now, or no room for the later one
 */
export function delayFromTest(definition: SequenceDefinition, stepId: string, delays: { nowMs: number; betterMs: number }): Suggestion | null {
  const index = definition.steps.findIndex(({ id }) => id === stepId);
  const step = definition.steps[index];
  if (step === undefined || comparesAlready(definition) || step.due.delayMs !== delays.nowMs) return null;
  const laterMs = delays.betterMs - delays.nowMs;
  return laterMs > 0 && laterMs < roomBehind(definition, index) ? laterBy(definition, index, laterMs) : null;
}

/**
 * The first step that goes out a day later or more, at the hour at which its channel sells best. Earlier ones are about what somebody has just done.
 * @returns null: there is none, or it has hours of its own
 */
export function atLearnedHour(definition: SequenceDefinition, { channel, hour }: { channel: Channel; hour: number }): Suggestion | null {
  if (comparesAlready(definition)) return null;
  const offsets = plannedOffsetsMs(definition.steps);
  const index = definition.steps.findIndex(
    (step, at) =>
      step.on === undefined &&
      step.channels[0] === channel &&
      step.window === undefined &&
      step.bestHour !== true &&
      (offsets[at] ?? 0) >= longestDelayMs,
  );
  return index < 0 ? null : atOtherHours(definition, index, { from: hour, to: hour + 1 });
}

/**
 * The first step that has a text on a channel without a phrase, with another text beside it that has the phrase. Somebody has to write that one.
 * @param variant - the id of the half that gets the other text, the same for the same phrase
 * @param lacks - whether the text of that name has words on the channel, in a language that the phrase is of, and not the phrase
 * @returns null: there is no such step
 */
export function withPhrase(
  definition: SequenceDefinition,
  { channel, phrase, variant }: { channel: Channel; phrase: string; variant: string },
  lacks: (content: string) => boolean,
): Suggestion | null {
  if (comparesAlready(definition)) return null;
  const index = definition.steps.findIndex(
    ({ channels, content, model, script, variants }) =>
      channels.includes(channel) && content !== null && model === undefined && script === undefined && variants === undefined && lacks(content),
  );
  const step = definition.steps[index];
  const of = step?.content ?? null;
  if (step === undefined || of === null) return null;
  const content = `${of}_${variant}`;
  const variants = [
    { id: 'now', content: of, weight: 1 },
    { id: variant, content, weight: 1 },
  ];
  return {
    ...{ kind: 'text', step: step.id, draft: replaced(definition, index, [{ ...step, variants }]), redraft: { channel, phrase, of, content } },
    change: `Half of the people get ${step.id} with “${phrase}” in its text.`,
  };
}

function shorter(definition: SequenceDefinition, index: number): Suggestion | null {
  const first = definition.steps[index];
  if (first === undefined || index === 0) return null;
  const steps = definition.steps.map((step, at) => (at < index ? step : { ...step, when: both(step.when, { arm: 'full' }) }));
  return {
    ...{ kind: 'shorter', step: first.id, draft: { ...definition, arms: arms('full', 'short'), steps } },
    change: `Half of the people get nothing from ${first.id} on.`,
  };
}

function byText(definition: SequenceDefinition, index: number): Suggestion | null {
  const step = definition.steps[index];
  if (step === undefined || isAskedAbout(definition, step.id)) return null;
  const { bestHour: _, ...rest } = step;
  const instead: StepDefinition = { ...rest, channels: ['sms'] };
  return {
    ...{ kind: 'channel', step: step.id, draft: withTwin(definition, index, { now: 'email', other: 'sms' }, instead) },
    change: `Half of the people get ${step.id} as a text message in place of an email.`,
  };
}

function atOtherHours(definition: SequenceDefinition, index: number, { from, to }: { from: number; to: number }): Suggestion | null {
  const step = definition.steps[index];
  if (step === undefined || isAskedAbout(definition, step.id)) return null;
  const days = step.window?.days ?? (['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const);
  // It has to live until these hours come.
  const expiresAfterMs = Math.max(step.expiresAfterMs ?? 0, 24 * hourMs);
  const instead: StepDefinition = { ...step, expiresAfterMs, window: { fromMinute: from * 60, toMinute: to * 60, days: [...days] } };
  return {
    ...{ kind: 'hour', step: step.id, draft: withTwin(definition, index, { now: 'any_hour', other: 'best_hours' }, instead) },
    change: `Half of the people get ${step.id} between ${clock(from)} and ${clock(to)} on their clock.`,
  };
}

function later(definition: SequenceDefinition, index: number): Suggestion | null {
  const dueMs = plannedOffsetsMs(definition.steps)[index] ?? 0;
  // Whole hours, half of the way to what comes next at most.
  const laterMs = Math.floor(Math.min(Math.max(dueMs, hourMs), longestDelayMs, roomBehind(definition, index) / 2) / hourMs) * hourMs;
  return laterMs < hourMs ? null : laterBy(definition, index, laterMs);
}

/** Until the next step, or the end of the sequence. */
function roomBehind(definition: SequenceDefinition, index: number): number {
  const offsets = plannedOffsetsMs(definition.steps);
  const next = definition.steps.findIndex((one, at) => at > index && one.on === undefined);
  return (next < 0 ? definition.maxAgeMs : (offsets[next] ?? 0)) - (offsets[index] ?? 0);
}

function laterBy(definition: SequenceDefinition, index: number, laterMs: number): Suggestion | null {
  const step = definition.steps[index];
  if (step === undefined || step.content === null || step.model !== undefined || step.lapsesWith !== null) return null;
  const { content } = step;
  const variants = [
    { id: 'now', content, weight: 1 },
    { id: 'later', content, weight: 1, laterMs },
  ];
  return {
    ...{ kind: 'delay', step: step.id, draft: replaced(definition, index, [{ ...step, variants }]) },
    change: `Half of the people get ${step.id} ${formatDuration(laterMs)} later.`,
  };
}

/** The step for one arm, and what is tried instead for the other, due at the same time. */
function withTwin(
  definition: SequenceDefinition,
  index: number,
  { now, other }: { now: string; other: string },
  instead: StepDefinition,
): SequenceDefinition {
  const step = definition.steps[index];
  if (step === undefined) return definition;
  const taken = new Set(definition.steps.map(({ id }) => id));
  const id = [`${step.id.slice(0, 33)}_other`, ...Array.from({ length: taken.size }, (_, nth) => `${step.id.slice(0, 30)}_other_${nth + 2}`)].find(
    (one) => !taken.has(one),
  );
  const twin: StepDefinition = {
    ...instead,
    id: id ?? `${step.id}_other`,
    // Counted from the step beside it: whatever moves that one moves this one, and what counts from the step counts from whichever went out.
    due: { from: 'previous', delayMs: 0 },
    when: both(instead.when, { arm: other }),
  };
  return { ...replaced(definition, index, [{ ...step, when: both(step.when, { arm: now }) }, twin]), arms: arms(now, other) };
}

const replaced = (definition: SequenceDefinition, index: number, by: StepDefinition[]): SequenceDefinition => ({
  ...definition,
  steps: definition.steps.flatMap((step, at) => (at === index ? by : [step])),
});

/** What asks about the step’s message would not know that of the step beside it. */
const isAskedAbout = ({ steps }: SequenceDefinition, stepId: string): boolean =>
  steps.some(
    ({ when, on }) =>
      (when !== null && stepsNamedBy(when).includes(stepId)) || (on !== undefined && on.event !== 'asked_later' && on.step === stepId),
  );

const arms = (...ids: string[]) => ids.map((id) => ({ id, weight: 1 }));

function both(when: Condition | null, more: Condition): Condition {
  if (when === null) return more;
  return typeof when === 'object' && 'all' in when ? { all: [...when.all, more] } : { all: [when, more] };
}

const clock = (hour: number) => `${String(hour).padStart(2, '0')}:00`;
