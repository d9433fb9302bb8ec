import type { Variant } from '../experiments/variant.ts';
import type { WeeklyWindow } from '../time/weekly-window.ts';
import type { SequenceDefinition, StepDefinition } from './definition.ts';
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
    ...given({ arms: definition.arms }),
    priority: definition.priority,
    ...(rate === undefined ? {} : { rate: { most: rate.most, within: formatDuration(rate.withinMs) } }),
    goal: { event: goal.event, within: formatDuration(goal.withinMs) },
    steps: definition.steps.map(fileOfStep),
  };
}

function fileOfStep(step: StepDefinition): Record<string, unknown> {
  const { due, on, channels, model, variants, when, lapsesWith, expiresAfterMs, window } = step;
  const [only = 'none', ...others] = channels;
  const content = model === undefined ? step.content : { model: model.brief, fallback: step.content, ahead: formatDuration(model.aheadMs) };
  const texts =
    variants === undefined ? { content } : step.varied ? { texts: variants.map((one) => one.content) } : { variants: variants.map(fileOfVariant) };
  return {
    id: step.id,
    ...(on === undefined ? {} : { on: fileOfReaction(on) }),
    [due.from === 'anchor' ? 'at' : 'after']: formatDuration(due.delayMs),
    channel: others.length === 0 ? only : channels,
    ...given({ ...texts, script: step.script, when, requires: step.requires, lapsesWith }),
    ...(expiresAfterMs === null ? {} : { expires: formatDuration(expiresAfterMs) }),
    ...(window === undefined ? {} : { window: { from: clock(window.fromMinute), to: clock(window.toMinute), days: window.days } }),
    ...given({ bestHour: step.bestHour, offer: step.offer, task: step.task, maxRetries: step.maxRetries, onFailure: step.onFailure }),
  };
}

const fileOfVariant = ({ laterMs, ...variant }: Variant) => ({ ...variant, ...(laterMs === undefined ? {} : { later: formatDuration(laterMs) }) });

const eventOf = Object.fromEntries(Object.entries(reactionEvents).map(([name, kind]) => [kind, name])) as Record<Reaction['event'], ReactionEvent>;

const fileOfReaction = (on: Reaction) =>
  on.event === 'asked_later' ? { event: eventOf[on.event] } : { event: eventOf[on.event], step: on.step, within: formatDuration(on.withinMs) };

const clock = (minute: WeeklyWindow['fromMinute']) => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

/** What is left out says nothing. */
const given = (fields: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
