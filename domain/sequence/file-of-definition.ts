import type { WeeklyWindow } from '../time/weekly-window.ts';
import type { ModelCopy, SequenceDefinition, StepDefinition, StepVariant } from './definition.ts';
import { type ReactionEvent, reactionEvents } from './definition-schema.ts';
import { formatDuration } from './duration.ts';
import type { Reaction } from './plan.ts';

/** The file that a definition could have come from, as plain data: what it says of the whole sequence stands in each step. */
export function fileOfDefinition(definition: SequenceDefinition): Record<string, unknown> {
  const { reentry, rate, goal } = definition;
  return {
    sequence: definition.sequence,
    name: definition.name,
    ...given({
      description: definition.description,
      about: definition.about,
      band: definition.band,
      only: definition.only,
      onReply: definition.onReply,
    }),
    on: definition.on,
    quietFor: formatDuration(definition.quietForMs),
    stopOn: definition.stopOn,
    maxAge: formatDuration(definition.maxAgeMs),
    reentry: typeof reentry === 'object' ? { cooldown: formatDuration(reentry.cooldownMs) } : reentry,
    ...given({ together: definition.together, overlap: definition.overlap, whenCapped: definition.whenCapped }),
    ...(definition.holdoutPercent === 0 ? {} : { holdout: `${definition.holdoutPercent}%` }),
    ...given({ arms: definition.arms, compare: definition.compare }),
    priority: definition.priority,
    ...(rate === undefined ? {} : { rate: { most: rate.most, within: formatDuration(rate.withinMs) } }),
    goal: { event: goal.event, within: formatDuration(goal.withinMs) },
    steps: definition.steps.map(fileOfStep),
  };
}

function fileOfStep(step: StepDefinition): Record<string, unknown> {
  const { due, on, channels, model, variants, when, lapsesWith, expiresAfterMs, window } = step;
  const content = contentInFile(step.content, model);
  const texts =
    variants === undefined ? { content } : step.varied ? { texts: variants.map((one) => one.content) } : { variants: variants.map(fileOfVariant) };
  return {
    id: step.id,
    ...(on === undefined ? {} : { on: fileOfReaction(on) }),
    [due.from === 'anchor' ? 'at' : 'after']: formatDuration(due.delayMs),
    channel: oneOrMany(channels),
    ...given({ ...texts, compare: step.compare, script: step.script, when, requires: step.requires, lapsesWith }),
    ...(expiresAfterMs === null ? {} : { expires: formatDuration(expiresAfterMs) }),
    ...(window === undefined ? {} : { window: { from: clock(window.fromMinute), to: clock(window.toMinute), days: window.days } }),
    ...given({ bestHour: step.bestHour, offer: step.offer, task: step.task, maxRetries: step.maxRetries, onFailure: step.onFailure }),
  };
}

/** A variant as a file has it. */
export const fileOfVariant = ({ id, content, weight, laterMs, channels, model, offer }: StepVariant): Record<string, unknown> => ({
  ...{ id, content: contentInFile(content, model), weight },
  ...(laterMs === undefined ? {} : { later: formatDuration(laterMs) }),
  ...(channels === undefined ? {} : { channel: oneOrMany(channels) }),
  ...(offer === undefined ? {} : { offer }),
});

/** A text, or the brief of one that a model writes, as a file has it. */
export const contentInFile = (content: string | null, model: ModelCopy | undefined) =>
  model === undefined ? content : { model: model.brief, fallback: content, ahead: formatDuration(model.aheadMs) };

const oneOrMany = (channels: StepDefinition['channels']) => (channels.length === 1 ? channels[0] : channels);

const eventOf = Object.fromEntries(Object.entries(reactionEvents).map(([name, kind]) => [kind, name])) as Record<Reaction['event'], ReactionEvent>;

const fileOfReaction = (on: Reaction) =>
  on.event === 'asked_later' ? { event: eventOf[on.event] } : { event: eventOf[on.event], step: on.step, within: formatDuration(on.withinMs) };

const clock = (minute: WeeklyWindow['fromMinute']) => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

/** What is left out says nothing. */
const given = (fields: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
