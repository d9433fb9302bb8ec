import type { SequenceDefinition, StepDefinition } from '../sequence/definition.ts';
import { formatDuration } from '../sequence/duration.ts';
import { contentInFile, fileOfVariant } from '../sequence/file-of-definition.ts';
import type { StepId } from '../sequence/plan.ts';
import { formsOf } from '../sequence/step-of-variant.ts';

/** What a version consists of. Texts by name, as they were compiled. */
export interface VersionSource {
  definition: SequenceDefinition;
  content: Readonly<Record<string, unknown>>;
}

/** A field whose value differs, by its name in the sequence file. Values as JSON; null: it was or is left out. */
export interface FieldChange {
  field: string;
  before: unknown;
  after: unknown;
}

export interface StepChange {
  step: StepId;
  change: 'added' | 'removed' | 'changed';
  /** Of a changed step. */
  fields: FieldChange[];
}

/** What publishing a version over another changes. Empty lists: nothing. */
export interface VersionDiff {
  /** In the order of the new version; removed steps where they stood in the old one. */
  steps: StepChange[];
  /** By the name under which steps use them, texts that more than one step uses once. */
  texts: { name: string; change: 'added' | 'removed' | 'changed' }[];
  /** Whatever is said about the sequence as a whole. */
  settings: FieldChange[];
}

/** The difference in meaning: what is left out equals its default, and neither comments nor the order of fields count. @param before - null: nothing was published yet */
export function compareVersions(before: VersionSource | null, after: VersionSource): VersionDiff {
  const texts = changesOf(before?.content ?? {}, after.content).map(({ field, before: was, after: is }) => ({
    name: field,
    change: was === null ? ('added' as const) : is === null ? ('removed' as const) : ('changed' as const),
  }));
  const old = before?.definition.steps ?? [];
  const kept = new Set(old.filter(({ id }) => after.definition.steps.some((s) => s.id === id)).map(({ id }) => id));
  const places = { before: placesOf(old, kept), after: placesOf(after.definition.steps, kept) };
  const steps = after.definition.steps.flatMap((step): StepChange[] => {
    const was = old.find(({ id }) => id === step.id);
    if (was === undefined) return [{ step: step.id, change: 'added', fields: [] }];
    const fields = changesOf(fieldsOf(was), fieldsOf(step));
    const place = { field: 'place', before: places.before.get(step.id), after: places.after.get(step.id) };
    if (place.before !== place.after) fields.push(place);
    const text = texts.filter(({ name, change }) => change === 'changed' && isTextOf(name, step));
    for (const { name } of text) fields.push({ field: 'text', before: name, after: name });
    return fields.length === 0 ? [] : [{ step: step.id, change: 'changed', fields }];
  });
  for (const [index, { id }] of old.entries()) {
    if (!kept.has(id)) steps.splice(Math.min(index, steps.length), 0, { step: id, change: 'removed', fields: [] });
  }
  const settings = before === null ? [] : changesOf(settingsOf(before.definition), settingsOf(after.definition));
  return { steps, texts, settings };
}

export const isSame = ({ steps, texts, settings }: VersionDiff): boolean => steps.length + texts.length + settings.length === 0;

/** The place of each step among those that both versions have: a step before it that is added or removed does not move it. */
function placesOf(steps: readonly StepDefinition[], kept: ReadonlySet<StepId>): Map<StepId, number> {
  return new Map(steps.filter(({ id }) => kept.has(id)).map(({ id }, index) => [id, index + 1]));
}

/** `cart/email_2h` is the name of an email, `cart/email_2h.sms` of the same step's text message. */
const isTextOf = (name: string, step: StepDefinition) =>
  formsOf(step).some(
    ({ content, model }) =>
      (content !== null && (name === content || name.startsWith(`${content}.`))) || (model !== undefined && name === `${model.brief}.brief`),
  );

/** What the file says of a step, by the names of its fields; what has a default and is left out has that. */
function fieldsOf(step: StepDefinition): Record<string, unknown> {
  return {
    [step.due.from === 'anchor' ? 'at' : 'after']: formatDuration(step.due.delayMs),
    channel: step.channels,
    content: step.variants === undefined ? contentInFile(step.content, step.model) : null,
    variants: step.varied === true ? null : (step.variants?.map(fileOfVariant) ?? null),
    texts: step.varied === true ? (step.variants?.map(({ content }) => content) ?? null) : null,
    when: step.when,
    window: step.window ?? null,
    expires: spanOf(step.expiresAfterMs),
    lapsesWith: step.lapsesWith,
    maxRetries: step.maxRetries ?? 3,
    onFailure: step.onFailure ?? 'skip',
    ...othersOf(step, [
      ...['id', 'due', 'channels', 'content', 'model', 'variants', 'varied', 'when', 'window', 'expiresAfterMs', 'lapsesWith', 'maxRetries'],
      'onFailure',
    ]),
  };
}

function settingsOf(definition: SequenceDefinition): Record<string, unknown> {
  const { reentry } = definition;
  return {
    name: definition.name,
    on: definition.on,
    about: definition.about ?? null,
    quietFor: formatDuration(definition.quietForMs),
    stopOn: definition.stopOn.toSorted(),
    onReply: definition.onReply ?? null,
    maxAge: formatDuration(definition.maxAgeMs),
    reentry: typeof reentry === 'object' && 'cooldownMs' in reentry ? { cooldown: formatDuration(reentry.cooldownMs) } : reentry,
    together: definition.together ?? 'one',
    overlap: definition.overlap ?? 'allow',
    holdout: `${definition.holdoutPercent}%`,
    priority: definition.priority,
    whenCapped: definition.whenCapped ?? 'skip',
    goal: { event: definition.goal.event, within: formatDuration(definition.goal.withinMs) },
    ...othersOf(definition, [
      ...['sequence', 'name', 'on', 'about', 'quietForMs', 'stopOn', 'onReply', 'maxAgeMs', 'reentry', 'together', 'overlap'],
      ...['holdoutPercent', 'priority', 'whenCapped', 'goal', 'steps'],
    ]),
  };
}

const spanOf = (spanMs: number | null) => (spanMs === null ? null : formatDuration(spanMs));

/** Fields that are not listed above: a change of one that is new in the format must never be invisible. */
function othersOf(from: object, listed: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(from).filter(([name]) => !listed.includes(name)));
}

function changesOf(before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>): FieldChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((field) => {
    const [was, is] = [before[field] ?? null, after[field] ?? null];
    return canonical(was) === canonical(is) ? [] : [{ field, before: was, after: is }];
  });
}

/** JSON with sorted keys: Postgres keeps objects in an order of its own. */
export function canonical(value: unknown): string {
  return JSON.stringify(value ?? null, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
