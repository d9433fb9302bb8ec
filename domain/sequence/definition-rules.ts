import { channels } from '../channels/index.ts';
import type { SequenceDefinition, StepDefinition } from './definition.ts';
import { attributesNamedBy, plannedOffsetsMs, stepsNamedBy } from './definition.ts';
import type { SequenceShape, StepShape } from './definition-schema.ts';
import { formatDuration } from './duration.ts';
import { attributeNamesFor } from '../subjects/attributes.ts';
import { kindOfSequence, manual, startsByItself } from './triggers.ts';
import type { SubjectKinds } from '../subjects/index.ts';
import type { Mistake } from '../yaml-file.ts';

/** What a file of the right shape still has wrong: rules across its fields. */
export function findMistakes(shape: SequenceShape, kinds: SubjectKinds): Mistake[] {
  const kind = kindOfSequence(kinds, shape);
  const attributes = kind === null ? [] : attributeNamesFor(kind);
  return [
    ...sequenceMistakes(shape, kinds),
    ...shape.steps.flatMap((step, index) => stepMistakes({ steps: shape.steps, attributes }, step, index)),
    ...timeMistakes(shape),
  ];
}

/** The definition that a file without mistakes stands for. */
export function toDefinition(shape: SequenceShape): SequenceDefinition {
  return {
    sequence: shape.sequence,
    name: shape.name,
    on: shape.on,
    ...(shape.about === undefined ? {} : { about: shape.about }),
    quietForMs: shape.quietFor,
    stopOn: shape.stopOn,
    ...(shape.onReply === undefined ? {} : { onReply: shape.onReply }),
    maxAgeMs: shape.maxAge,
    reentry: shape.reentry,
    ...(shape.together === 'many' ? { together: 'many' as const } : {}),
    holdoutPercent: shape.holdout,
    priority: shape.priority,
    ...(shape.whenCapped === 'wait' ? { whenCapped: 'wait' as const } : {}),
    goal: { event: shape.goal.event, withinMs: shape.goal.within },
    steps: shape.steps.map(toStep),
  };
}

function toStep(step: StepShape): StepDefinition {
  return {
    id: step.id,
    due: dueOf(step),
    channels: step.channel,
    content: step.content ?? null,
    when: step.when ?? null,
    lapsesWith: step.lapsesWith ?? null,
    expiresAfterMs: step.expires ?? null,
    maxRetries: step.maxRetries,
    // A field that is left out where it says nothing: an unchanged file must not become a new version.
    ...(step.onFailure === 'skip' ? {} : { onFailure: step.onFailure }),
    ...(step.window === undefined ? {} : { window: { fromMinute: step.window.from, toMinute: step.window.to, days: step.window.days } }),
  };
}

function dueOf({ at, after }: StepShape): StepDefinition['due'] {
  return at === undefined ? { from: 'previous', delayMs: after ?? 0 } : { from: 'anchor', delayMs: at };
}

function sequenceMistakes({ stopOn, on, about, holdout }: SequenceShape, kinds: SubjectKinds): Mistake[] {
  const names = kinds.all.map(({ kind }) => kind).join(' or ');
  const misplaced: Mistake[] = [
    ...(!startsByItself(on) && about === undefined
      ? [{ path: ['about'], message: `is missing: a ${on} sequence says what it is about, ${names}` }]
      : []),
    ...(on === manual && holdout > 0
      ? [{ path: ['holdout'], message: 'has no use in a manual sequence: whoever is taken in by hand gets the messages. Remove it' }]
      : []),
    ...(startsByItself(on) && about !== undefined ? [{ path: ['about'], message: `has no use here: ${on} says what it is about. Remove it` }] : []),
  ];
  const stops = (['purchased', 'opted_out'] as const)
    .filter((trigger) => !stopOn.includes(trigger))
    .map((trigger) => ({ path: ['stopOn'], message: `must contain ${trigger}: it ends every sequence` }));
  return [...misplaced, ...stops];
}

function stepMistakes(
  { steps, attributes }: { steps: readonly StepShape[]; attributes: readonly string[] },
  step: StepShape,
  index: number,
): Mistake[] {
  const earlier = steps.slice(0, index).map(({ id }) => id);
  const later = steps.slice(index + 1).map(({ id }) => id);
  const found = [
    ...(earlier.includes(step.id) ? [{ field: 'id', message: `\`${step.id}\` is taken by an earlier step: ids are unique` }] : []),
    ...timingMistakes(step),
    ...channelMistakes(step),
    ...referenceMistakes(step, earlier, later),
    ...attributeMistakes(step, attributes),
  ];
  return found.map(({ field, message }) => ({ path: ['steps', index, field], message }));
}

/** A mistake in a field of the step in hand. */
interface FieldMistake {
  field: string;
  message: string;
}

function timingMistakes({ at, after, window }: StepShape): FieldMistake[] {
  if (window !== undefined && window.from === window.to) return [{ field: 'window', message: 'is never open: `from` and `to` are the same' }];
  if (window !== undefined && window.from === 1440)
    return [{ field: 'window', message: 'begins at 24:00, which is 00:00 of the next day: write that' }];
  if (at === undefined && after === undefined)
    return [{ field: 'at', message: 'is missing: say when, with `at` (from the start) or `after` (from the previous step)' }];
  if (at !== undefined && after !== undefined) return [{ field: 'after', message: 'stands beside `at`: a step has one of them' }];
  return [];
}

function channelMistakes({ channel, content, onFailure }: StepShape): FieldMistake[] {
  const mistakes: FieldMistake[] = [];
  if (new Set(channel).size < channel.length) mistakes.push({ field: 'channel', message: 'names a channel twice' });
  if (channel.includes('none') && channel.length > 1)
    mistakes.push({ field: 'channel', message: '`none` stands alone: a silent mark has no other channel' });
  if (onFailure === 'next-channel' && channel.length === 1)
    mistakes.push({ field: 'onFailure', message: `needs a second channel: write \`channel: [${channel.join('')}, …]\`, or skip` });
  const speaks = channel.some((one) => channels[one].carriesCopy);
  if (speaks && content === undefined)
    mistakes.push({ field: 'content', message: 'is missing: name the text that this step sends, such as cart/email_2h' });
  if (!speaks && content !== undefined) mistakes.push({ field: 'content', message: `has no use on ${channel.join(' and ')}: remove it` });
  return mistakes;
}

function referenceMistakes({ when, lapsesWith }: StepShape, earlier: readonly string[], later: readonly string[]): FieldMistake[] {
  const named = when === undefined ? [] : stepsNamedBy(when);
  const unknown = named.filter((id) => !earlier.includes(id)).map((id) => ({ field: 'when', message: `names \`${id}\`, which is no earlier step` }));
  if (lapsesWith === undefined || later.includes(lapsesWith)) return unknown;
  return [...unknown, { field: 'lapsesWith', message: `names \`${lapsesWith}\`, which is no later step` }];
}

function attributeMistakes({ when }: StepShape, known: readonly string[]): FieldMistake[] {
  const named = when === undefined ? [] : attributesNamedBy(when);
  return named
    .filter((name) => !known.includes(name))
    .map((name) => ({ field: 'when', message: `asks for the attribute \`${name}\`, which is not known here: write one of ${known.join(', ')}` }));
}

function timeMistakes({ steps, quietFor, maxAge }: SequenceShape): Mistake[] {
  // Times can be compared once every step has one; its absence is reported on its own.
  if (steps.some(({ at, after }) => at === undefined && after === undefined)) return [];
  const offsetsMs = plannedOffsetsMs(steps.map((step) => ({ due: dueOf(step) })));
  const mistakes: Mistake[] = [];
  for (const [index, offsetMs] of offsetsMs.entries()) {
    const path = ['steps', index, steps[index]?.at === undefined ? 'after' : 'at'];
    const previousMs = offsetsMs[index - 1] ?? 0;
    if (offsetMs < previousMs) mistakes.push({ path, message: `lies before the step above it (${formatDuration(previousMs)}): steps run in order` });
    if (index === 0 && offsetMs < quietFor)
      mistakes.push({ path, message: `lies before the end of quietFor (${formatDuration(quietFor)}): nothing counts as abandoned until then` });
    if (offsetMs >= maxAge) mistakes.push({ path, message: `lies beyond maxAge (${formatDuration(maxAge)}): the step would never go out` });
  }
  return mistakes;
}
