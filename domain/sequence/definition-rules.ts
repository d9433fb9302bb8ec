import type { Channel } from '../channels.ts';
import type { SequenceDefinition, StepDefinition } from './definition.ts';
import { plannedOffsetsMs, stepsNamedBy } from './definition.ts';
import type { SequenceShape, StepShape } from './definition-schema.ts';
import { formatDuration } from './duration.ts';

/** One thing to mend. `path` leads to the field in the file. */
export interface Mistake {
  path: (string | number)[];
  message: string;
}

/** Channels that carry no copy of ours. */
const wordless: readonly Channel[] = ['crm', 'task', 'none'];

/** What a file of the right shape still has wrong: rules across its fields. */
export function findMistakes(shape: SequenceShape): Mistake[] {
  return [...sequenceMistakes(shape), ...shape.steps.flatMap((step, index) => stepMistakes(shape.steps, step, index)), ...timeMistakes(shape)];
}

/** The definition that a file without mistakes stands for. */
export function toDefinition(shape: SequenceShape): SequenceDefinition {
  return {
    sequence: shape.sequence,
    name: shape.name,
    on: shape.on,
    quietForMs: shape.quietFor,
    stopOn: shape.stopOn,
    maxAgeMs: shape.maxAge,
    reentry: shape.reentry,
    ...(shape.together === 'many' ? { together: 'many' as const } : {}),
    holdoutPercent: shape.holdout,
    priority: shape.priority,
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
  };
}

function dueOf({ at, after }: StepShape): StepDefinition['due'] {
  return at === undefined ? { from: 'previous', delayMs: after ?? 0 } : { from: 'anchor', delayMs: at };
}

function sequenceMistakes({ stopOn }: SequenceShape): Mistake[] {
  return (['purchased', 'opted_out'] as const)
    .filter((trigger) => !stopOn.includes(trigger))
    .map((trigger) => ({ path: ['stopOn'], message: `must contain ${trigger}: it ends every sequence` }));
}

function stepMistakes(steps: readonly StepShape[], step: StepShape, index: number): Mistake[] {
  const here = ['steps', index];
  const mistakes: Mistake[] = [];
  const mistake = (field: string, message: string) => mistakes.push({ path: [...here, field], message });

  if (steps.findIndex(({ id }) => id === step.id) < index) mistake('id', `\`${step.id}\` is taken by an earlier step: ids are unique`);
  if (step.at === undefined && step.after === undefined)
    mistake('at', 'is missing: say when, with `at` (from the start) or `after` (from the previous step)');
  if (step.at !== undefined && step.after !== undefined) mistake('after', 'stands beside `at`: a step has one of them');
  if (new Set(step.channel).size < step.channel.length) mistake('channel', 'names a channel twice');
  if (step.channel.includes('none') && step.channel.length > 1) mistake('channel', '`none` stands alone: a silent mark has no other channel');

  const speaks = step.channel.some((channel) => !wordless.includes(channel));
  if (speaks && step.content === undefined) mistake('content', 'is missing: name the text that this step sends, such as cart/email_2h');
  if (!speaks && step.content !== undefined) mistake('content', `has no use on ${step.channel.join(' and ')}: remove it`);

  for (const named of step.when === undefined ? [] : stepsNamedBy(step.when)) {
    if (!steps.slice(0, index).some(({ id }) => id === named)) mistake('when', `names \`${named}\`, which is no earlier step`);
  }
  const { lapsesWith } = step;
  if (lapsesWith !== undefined && !steps.slice(index + 1).some(({ id }) => id === lapsesWith))
    mistake('lapsesWith', `names \`${lapsesWith}\`, which is no later step`);
  return mistakes;
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
