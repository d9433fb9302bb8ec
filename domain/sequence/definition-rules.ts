import { channels } from '../channels/index.ts';
import { ownTexts } from '../scripts/choose-script.ts';
import type { SequenceDefinition, StepDefinition, StepTask, StepVariant } from './definition.ts';
import { armsNamedBy, asksAboutMessages, attributesNamedBy, plannedOffsetsMs, stepsNamedBy } from './definition.ts';
import type { Reaction } from './plan.ts';
import { reactionEvents, type SequenceShape, type StepShape } from './definition-schema.ts';
import { riskEntered } from '../risk/band-move.ts';
import { isAboutSilence, isAboutSilentLead, silentAfterMs } from '../people/silence.ts';
import { formatDuration } from './duration.ts';
import { channelsOfVariants } from './step-of-variant.ts';
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
    ...(shape.steps.every(({ on }) => on !== undefined)
      ? [{ path: ['steps'], message: 'only react: a sequence needs a step with `at` or `after`' }]
      : []),
    ...shape.steps.flatMap((step, index) => stepMistakes({ steps: shape.steps, attributes }, step, index)),
    ...filterMistakes(shape, attributes),
    ...armMistakes(shape),
    ...timeMistakes(shape),
  ];
}

/** The definition that a file without mistakes stands for. */
export function toDefinition(shape: SequenceShape): SequenceDefinition {
  return {
    sequence: shape.sequence,
    name: shape.name,
    ...(shape.description === undefined || shape.description === '' ? {} : { description: shape.description }),
    on: shape.on,
    ...(shape.about === undefined ? {} : { about: shape.about }),
    ...(shape.band === undefined ? {} : { band: shape.band }),
    ...(shape.only === undefined ? {} : { only: shape.only }),
    quietForMs: shape.quietFor,
    stopOn: shape.stopOn,
    ...(shape.onReply === undefined ? {} : { onReply: shape.onReply }),
    maxAgeMs: shape.maxAge,
    reentry: shape.reentry,
    ...(shape.together === 'many' ? { together: 'many' as const } : {}),
    ...(shape.overlap === 'refuse' ? { overlap: 'refuse' as const } : {}),
    holdoutPercent: shape.holdout,
    ...(shape.arms === undefined ? {} : { arms: shape.arms }),
    ...(shape.compare === 'bandit' ? { compare: 'bandit' as const } : {}),
    priority: shape.priority,
    ...(shape.whenCapped === 'wait' ? { whenCapped: 'wait' as const } : {}),
    ...(shape.rate === undefined ? {} : { rate: { most: shape.rate.most, withinMs: shape.rate.within } }),
    goal: { event: shape.goal.event, withinMs: shape.goal.within },
    steps: shape.steps.map((step, index) =>
      toStep({ ...step, window: step.window ?? windowOf(shape, step), bestHour: step.bestHour ?? isLateEmail(shape, step, index) }),
    ),
  };
}

/** A mark sends nothing, at any hour. */
const windowOf = (shape: SequenceShape, step: StepShape) => (channelsOf(step).some((one) => channels[one].carriesCopy) ? shape.window : undefined);

/** Where the sequence wants it, emails that come a day after the anchor or later wait for the hour at which the person reads emails. */
const isLateEmail = (shape: SequenceShape, step: StepShape, index: number) =>
  shape.bestHour && channelsOf(step).includes('email') && (offsetsOf(shape.steps)[index] ?? 0) >= 24 * 3_600_000;

const offsetsOf = (steps: readonly StepShape[]) =>
  plannedOffsetsMs(steps.map((step) => ({ id: step.id, due: dueOf(step), ...(step.on === undefined ? {} : { on: reactionOf(step.on) }) })));

function toStep(step: StepShape): StepDefinition {
  return {
    id: step.id,
    due: dueOf(step),
    ...(step.on === undefined ? {} : { on: reactionOf(step.on) }),
    channels: channelsOf(step),
    content: step.content?.text ?? variantsOf(step)?.[0]?.content ?? null,
    ...(step.script === undefined ? {} : { script: step.script }),
    ...(step.content?.model === undefined ? {} : { model: step.content.model }),
    ...withVariants(step),
    ...(step.compare === 'bandit' ? { compare: 'bandit' as const } : {}),
    when: step.when ?? null,
    ...(step.requires === undefined ? {} : { requires: step.requires }),
    lapsesWith: step.lapsesWith ?? null,
    expiresAfterMs: step.expires ?? null,
    maxRetries: step.maxRetries,
    // A field that is left out where it says nothing: an unchanged file must not become a new version.
    ...(step.onFailure === 'skip' ? {} : { onFailure: step.onFailure }),
    ...(step.bestHour === true ? { bestHour: true as const } : {}),
    ...(step.offer === undefined ? {} : { offer: step.offer }),
    ...(step.task === undefined ? {} : { task: taskOf(step.task) }),
    ...(step.window === undefined ? {} : { window: { fromMinute: step.window.from, toMinute: step.window.to, days: step.window.days } }),
  };
}

const taskOf = ({ kind, note, skill }: NonNullable<StepShape['task']>): StepTask => ({
  kind,
  ...(note === undefined ? {} : { note }),
  ...(skill === undefined ? {} : { skill }),
});

/** Texts for variety go by the last part of their names. */
const variantsOf = (step: StepShape): StepVariant[] | undefined =>
  step.variants?.map((variant) => variantOf(step, variant)) ??
  step.texts?.map((text) => ({ id: text.slice(text.lastIndexOf('/') + 1), content: text, weight: 1 }));

/** Where one variant has channels of its own, each says which it has: those of the step are then all of theirs. */
function variantOf(step: StepShape, { id, content, weight, later, channel, offer }: NonNullable<StepShape['variants']>[number]): StepVariant {
  const haveOwn = step.variants?.some((other) => other.channel !== undefined) === true;
  return {
    id,
    content: content.text,
    weight,
    ...(later === undefined || later === 0 ? {} : { laterMs: later }),
    ...(haveOwn ? { channels: channel ?? step.channel } : {}),
    ...(content.model === undefined ? {} : { model: content.model }),
    ...(offer === undefined ? {} : { offer }),
  };
}

function withVariants(step: StepShape): Pick<StepDefinition, 'variants' | 'varied'> {
  const variants = variantsOf(step);
  return variants === undefined ? {} : { variants, ...(step.texts === undefined ? {} : { varied: true as const }) };
}

/** Every channel that it may go out on. */
const channelsOf = (step: StepShape) => channelsOfVariants(step.channel, variantsOf(step) ?? [{}]);

/** How long after its message an open or a click counts where the file says nothing. */
const usualWithinMs = 72 * 3_600_000;

function reactionOf({ event, step = '', within = usualWithinMs }: NonNullable<StepShape['on']>): Reaction {
  const kind = reactionEvents[event];
  return kind === 'asked_later' ? { event: kind } : { event: kind, step, withinMs: within };
}

function dueOf({ at, after, on }: StepShape): StepDefinition['due'] {
  if (on !== undefined) return { from: 'event', delayMs: after ?? 0 };
  return at === undefined ? { from: 'previous', delayMs: after ?? 0 } : { from: 'anchor', delayMs: at };
}

function sequenceMistakes(shape: SequenceShape, kinds: SubjectKinds): Mistake[] {
  const { stopOn, on, about, holdout, overlap } = shape;
  const names = kinds.all
    .map(({ kind }) => kind)
    .join(', ')
    .replace(/, ([^,]*)$/u, ' or $1');
  const misplaced: Mistake[] = [
    ...(!startsByItself(on) && about === undefined
      ? [{ path: ['about'], message: `is missing: a ${on} sequence says what it is about, ${names}` }]
      : []),
    ...(on === manual && holdout > 0
      ? [{ path: ['holdout'], message: 'has no use in a manual sequence: whoever is taken in by hand gets the messages. Remove it' }]
      : []),
    ...(overlap === 'refuse' && kindOfSequence(kinds, shape)?.kind !== 'lead'
      ? [{ path: ['overlap'], message: 'has no use here: campaigns have leads alone, and this sequence is not about leads. Remove it' }]
      : []),
    ...(startsByItself(on) && about !== undefined ? [{ path: ['about'], message: `has no use here: ${on} says what it is about. Remove it` }] : []),
  ];
  const stops = (['purchased', 'opted_out'] as const)
    .filter((trigger) => !stopOn.includes(trigger))
    .map((trigger) => ({ path: ['stopOn'], message: `must contain ${trigger}: it ends every sequence` }));
  return [...misplaced, ...stops, ...bandMistakes(shape), ...silenceMistakes(shape)];
}

function bandMistakes({ on, band, reentry }: SequenceShape): Mistake[] {
  if (on === riskEntered)
    return band === undefined ? [{ path: ['band'], message: 'is missing: write early, active or critical, whose entry starts the sequence' }] : [];
  return [
    ...(band === undefined ? [] : [{ path: ['band'], message: `has no use here: only a sequence \`on: ${riskEntered}\` has one. Remove it` }]),
    ...(reentry === 'once-per-entry'
      ? [{ path: ['reentry'], message: `is about bands of risk: only a sequence \`on: ${riskEntered}\` has them` }]
      : []),
  ];
}

/** An answer ends a silence: a sequence about one cannot run on behind it. */
function silenceMistakes({ on, stopOn, reentry, quietFor }: SequenceShape): Mistake[] {
  if (!isAboutSilence({ on })) {
    return reentry === 'once-per-silence'
      ? [{ path: ['reentry'], message: 'is about silences: only a sequence `on: lead.silent` or `on: chat.ghosted` has them' }]
      : [];
  }
  const missing = (['replied', 'contacted'] as const).filter((trigger) => !stopOn.includes(trigger));
  return [
    ...missing.map((trigger) => ({ path: ['stopOn'], message: `must contain ${trigger}: it ends the silence` })),
    ...(isAboutSilentLead({ on }) && quietFor < silentAfterMs
      ? [{ path: ['quietFor'], message: 'is too short: a lead counts as silent after more than 24h' }]
      : []),
  ];
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
    ...timedVariantMistakes(steps, step, index),
    ...referenceMistakes(step, earlier, later),
    ...attributeMistakes(step, attributes),
  ];
  return found.map(({ field, at = [], message }: FieldMistake) => ({ path: ['steps', index, field, ...at], message }));
}

/** A mistake in a field of the step in hand. */
interface FieldMistake {
  field: string;
  /** Where in the field, such as `[1, 'channel']` of `variants`; absent: the field itself. */
  at?: readonly (string | number)[];
  message: string;
}

function timingMistakes({ at, after, window, on, lapsesWith }: StepShape): FieldMistake[] {
  if (window !== undefined && window.from === window.to) return [{ field: 'window', message: 'is never open: `from` and `to` are the same' }];
  if (window !== undefined && window.from === 1440)
    return [{ field: 'window', message: 'begins at 24:00, which is 00:00 of the next day: write that' }];
  if (on !== undefined) {
    const mistakes: FieldMistake[] = [];
    if (at !== undefined) mistakes.push({ field: 'at', message: 'has no use beside `on`: write `after`, how long after that event it goes out' });
    if (lapsesWith !== undefined) mistakes.push({ field: 'lapsesWith', message: 'has no use beside `on`: write `expires`' });
    return mistakes;
  }
  if (at === undefined && after === undefined)
    return [{ field: 'at', message: 'is missing: say when, with `at` (from the start) or `after` (from the previous step)' }];
  if (at !== undefined && after !== undefined) return [{ field: 'after', message: 'stands beside `at`: a step has one of them' }];
  return [];
}

function channelMistakes(step: StepShape): FieldMistake[] {
  const { channel, content, onFailure, requires } = step;
  const all = channelsOf(step);
  const variants = variantsOf(step);
  const mistakes: FieldMistake[] = [];
  if (new Set(channel).size < channel.length) mistakes.push({ field: 'channel', message: 'names a channel twice' });
  if (channel.includes('none') && channel.length > 1)
    mistakes.push({ field: 'channel', message: '`none` stands alone: a silent mark has no other channel' });
  if (onFailure === 'next-channel' && channel.length === 1)
    mistakes.push({ field: 'onFailure', message: `needs a second channel: write \`channel: [${channel.join('')}, …]\`, or skip` });
  const speaks = all.some((one) => channels[one].carriesCopy);
  if (!speaks && requires !== undefined)
    mistakes.push({ field: 'requires', message: `has no use on ${channel.join(' and ')}, which claims nothing: remove it` });
  if (step.task !== undefined && !all.includes('task')) mistakes.push({ field: 'task', message: 'has no use without the channel `task`: remove it' });
  const hasScript = step.script !== undefined && step.script !== ownTexts;
  if (speaks && content === undefined && variants === undefined && !hasScript)
    mistakes.push({ field: 'content', message: 'is missing: name the text that this step sends, such as cart/email_2h' });
  if (!speaks && step.script !== undefined) mistakes.push({ field: 'script', message: `has no use on ${channel.join(' and ')}: remove it` });
  if (hasScript && (variants !== undefined || content?.model !== undefined))
    mistakes.push({ field: 'script', message: 'stands beside texts that are compared or written by a model: a step has one of them' });
  if (!speaks && content !== undefined) mistakes.push({ field: 'content', message: `has no use on ${channel.join(' and ')}: remove it` });
  if (step.texts !== undefined && step.variants !== undefined)
    mistakes.push({ field: 'texts', message: 'stand beside `variants`: texts are for variety, variants for a comparison' });
  return [
    ...mistakes,
    ...comparedMistakes(step.compare, step.variants, 'variants').map((message) => ({ field: 'compare', message })),
    ...variantMistakes({ content, variants, lapsesWith: step.lapsesWith }, speaks, step.texts === undefined ? 'variants' : 'texts'),
    ...variantChannelMistakes(step),
  ];
}

/** A bandit sets the shares itself. */
function comparedMistakes(compare: StepShape['compare'], arms: readonly { weight: number }[] | undefined, name: 'variants' | 'arms'): string[] {
  if (compare === undefined) return [];
  if (arms === undefined) return [`has no use without \`${name}\`: remove it`];
  return compare === 'bandit' && arms.some(({ weight }) => weight !== 1)
    ? [`\`bandit\` sets the shares itself, and \`${name}\` have a \`weight\`: remove it`]
    : [];
}

/** What a variant says of its channel and its offer. */
function variantChannelMistakes(step: StepShape): FieldMistake[] {
  const mistakes = (step.variants ?? []).flatMap(({ channel, offer, content }, index): FieldMistake[] => {
    const own = channel ?? [];
    const silent = own.find((one) => !channels[one].carriesCopy);
    const at = (field: string, message: string): FieldMistake => ({ field: 'variants', at: [index, field], message });
    return [
      ...(new Set(own).size < own.length ? [at('channel', 'names a channel twice')] : []),
      ...(silent === undefined
        ? []
        : [at('channel', `is ${silent}, which has no text: compare by \`arms\` of the sequence whether something is sent at all`)]),
      ...(step.onFailure === 'next-channel' && own.length === 1
        ? [at('channel', `is ${own.join('')} alone, and \`onFailure: next-channel\` needs a second: write \`channel: [${own.join('')}, …]\``)]
        : []),
      ...(offer === false && step.offer === undefined ? [at('offer', 'is false, and the step brings none: remove it')] : []),
      ...((offer ?? step.offer ?? false) !== false && content.model !== undefined
        ? [at('content', 'is by a model, which cannot state the offer: name a text')]
        : []),
    ];
  });
  const used = channelsOf(step);
  const unused = step.variants === undefined ? [] : step.channel.filter((one) => !used.includes(one));
  return [
    ...mistakes,
    ...(unused.length === 0
      ? []
      : [{ field: 'channel', message: `names ${unused.join(' and ')}, by which no variant goes out: name those of its variants` }]),
  ];
}

function variantMistakes(
  { content, variants, lapsesWith }: Pick<StepShape, 'content' | 'lapsesWith'> & { variants: StepVariant[] | undefined },
  speaks: boolean,
  field: 'variants' | 'texts',
): FieldMistake[] {
  if (variants === undefined) return [];
  if (!speaks) return [{ field, message: 'have no use on a channel without texts: remove them' }];
  if (content !== undefined) return [{ field, message: 'stand beside `content`: a step has one of them' }];
  const [sameId, same] = [firstTwice(variants, ({ id }) => id), firstTwice(variants, whatGoesOut)];
  if (sameId !== undefined) return [{ field, message: `name \`${sameId.id}\` twice` }];
  if (same !== undefined)
    return [{ field, message: `send ${same.model?.brief ?? same.content} twice at the same time: there is nothing to compare` }];
  const isTimed = variants.some(({ laterMs }) => laterMs !== undefined);
  if (!isTimed) return [];
  if (lapsesWith !== undefined)
    return [{ field, message: 'go out `later` beside `lapsesWith`, which ends the step at a fixed time: remove one of them' }];
  return variants.every(({ laterMs }) => laterMs !== undefined) ? [{ field, message: 'all go out `later`: one goes out when the step is due' }] : [];
}

/** Two variants of which it is the same are one. */
const whatGoesOut = ({ content, laterMs = 0, channels: by, model, offer }: StepVariant) =>
  JSON.stringify([content, laterMs, by ?? null, model?.brief ?? null, offer ?? null]);

const firstTwice = (variants: readonly StepVariant[], by: (variant: StepVariant) => string) =>
  variants.find((one, index) => variants.findIndex((other) => by(other) === by(one)) < index);

/** The next step that runs in order goes out after every variant of the one before. */
function timedVariantMistakes(steps: readonly StepShape[], step: StepShape, index: number): FieldMistake[] {
  const latest = (step.variants ?? []).reduce<{ id: string; later: number }>(
    (last, { id, later = 0 }) => (later > last.later ? { id, later } : last),
    {
      id: '',
      later: 0,
    },
  );
  const next = steps.findIndex((other, at) => at > index && other.on === undefined);
  const offsets = offsetsOf(steps);
  const [own, then] = [offsets[index] ?? 0, offsets[next]];
  const follows = then === undefined || steps[next]?.at === undefined || then > own + latest.later;
  if (latest.later === 0 || follows) return [];
  return [{ field: 'variants', message: `send \`${latest.id}\` as late as the next step, \`${steps[next]?.id}\`: make \`later\` shorter` }];
}

function referenceMistakes({ when, lapsesWith, on }: StepShape, earlier: readonly string[], later: readonly string[]): FieldMistake[] {
  const named = when === undefined ? [] : stepsNamedBy(when);
  const unknown = named.filter((id) => !earlier.includes(id)).map((id) => ({ field: 'when', message: `names \`${id}\`, which is no earlier step` }));
  unknown.push(...reactionMistakes(on, earlier));
  if (lapsesWith === undefined || later.includes(lapsesWith)) return unknown;
  return [...unknown, { field: 'lapsesWith', message: `names \`${lapsesWith}\`, which is no later step` }];
}

function reactionMistakes(on: StepShape['on'], earlier: readonly string[]): FieldMistake[] {
  if (on === undefined) return [];
  const { event, step, within } = on;
  if (event === 'contact.asked_later') {
    const useless = [step === undefined ? [] : ['step'], within === undefined ? [] : ['within']].flat();
    return useless.map((name) => ({ field: 'on', message: `has \`${name}\`, which has no use with ${event}: remove it` }));
  }
  if (step === undefined) return [{ field: 'on', message: `names no step: write { event: ${event}, step: … } with the step whose message it is` }];
  return earlier.includes(step) ? [] : [{ field: 'on', message: `names \`${step}\`, which is no earlier step` }];
}

/** Who is taken is decided before the first message: nothing can be asked about messages, or about what ends the sequence anyway. */
function filterMistakes({ only, on }: SequenceShape, known: readonly string[]): Mistake[] {
  if (only === undefined) return [];
  const mistake = (message: string) => ({ path: ['only'], message });
  if (!startsByItself(on)) return [mistake(`has no use in a ${on} sequence: whoever starts it says who is taken in. Remove it`)];
  const unknown = attributesNamedBy(only).filter((name) => !known.includes(name));
  return [
    ...(asksAboutMessages(only) ? [mistake('may ask for segment, stage, value, stock and attribute: no message has gone out yet')] : []),
    ...unknown.map((name) => mistake(`asks for the attribute \`${name}\`, which is not known here: write one of ${known.join(', ')}`)),
  ];
}

function armMistakes({ arms: given, compare, only, steps }: SequenceShape): Mistake[] {
  const arms = given ?? [];
  const known = arms.map(({ id }) => id);
  const twice = known.find((id, index) => known.indexOf(id) < index);
  const unknown = steps.flatMap(({ when }, index) =>
    (when === undefined ? [] : armsNamedBy(when))
      .filter((id) => !known.includes(id))
      .map((id) => ({
        path: ['steps', index, 'when'],
        message:
          known.length === 0
            ? `asks for the arm \`${id}\`, and the sequence has no \`arms\`: write arms: [{ id: ${id} }, …]`
            : `asks for the arm \`${id}\`, which is none of the sequence: write ${known.join(' or ')}`,
      })),
  );
  const isAsked = steps.some(({ when }) => when !== undefined && armsNamedBy(when).length > 0);
  return [
    ...comparedMistakes(compare, given, 'arms').map((message) => ({ path: ['compare'], message })),
    ...(twice === undefined ? [] : [{ path: ['arms'], message: `name \`${twice}\` twice` }]),
    ...(known.length > 0 && !isAsked
      ? [{ path: ['arms'], message: `are asked for by no step: write \`when: { arm: ${known[0]} }\` in the steps of that arm` }]
      : []),
    ...(only !== undefined && armsNamedBy(only).length > 0
      ? [{ path: ['only'], message: 'asks for an arm: arms are drawn among those who are taken' }]
      : []),
    ...unknown,
  ];
}

function attributeMistakes({ when }: StepShape, known: readonly string[]): FieldMistake[] {
  const named = when === undefined ? [] : attributesNamedBy(when);
  return named
    .filter((name) => !known.includes(name))
    .map((name) => ({ field: 'when', message: `asks for the attribute \`${name}\`, which is not known here: write one of ${known.join(', ')}` }));
}

function timeMistakes({ steps, quietFor, maxAge }: SequenceShape): Mistake[] {
  // Times can be compared once every step has one; its absence is reported on its own.
  if (steps.some(({ at, after, on }) => at === undefined && after === undefined && on === undefined)) return [];
  const offsetsMs = offsetsOf(steps);
  const mistakes: Mistake[] = [];
  let previousMs = 0;
  for (const [index, offsetMs] of offsetsMs.entries()) {
    const path = ['steps', index, steps[index]?.at === undefined ? 'after' : 'at'];
    if (steps[index]?.on !== undefined) {
      if (offsetMs >= maxAge) mistakes.push({ path, message: `lies beyond maxAge (${formatDuration(maxAge)}): the step would never go out` });
      continue;
    }
    if (offsetMs < previousMs) mistakes.push({ path, message: `lies before the step above it (${formatDuration(previousMs)}): steps run in order` });
    if (index === 0 && offsetMs < quietFor)
      mistakes.push({ path, message: `lies before the end of quietFor (${formatDuration(quietFor)}): nothing counts as abandoned until then` });
    if (offsetMs >= maxAge) mistakes.push({ path, message: `lies beyond maxAge (${formatDuration(maxAge)}): the step would never go out` });
    previousMs = offsetMs;
  }
  return mistakes;
}
