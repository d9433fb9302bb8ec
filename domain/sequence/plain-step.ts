import type { Condition, SequenceDefinition, StepDefinition } from './definition.ts';
import { formatDuration } from './duration.ts';

export const delayUnits = ['minutes', 'hours', 'days'] as const;
export type DelayUnit = (typeof delayUnits)[number];
export const anchors = ['enrollment', 'previous', 'event'] as const;
export type Anchor = (typeof anchors)[number];

const unitMs: Record<DelayUnit, number> = { minutes: 60_000, hours: 3_600_000, days: 86_400_000 };

/** A step in the fields by which a retention center edits it. */
export interface PlainStep {
  id: string;
  /** Its place, counted from 0. */
  order: number;
  /** In order of preference. */
  channels: string[];
  delayValue: number;
  delayUnit: DelayUnit;
  /** What the delay counts from. `event`: what it reacts to. */
  anchor: Anchor;
  /** The script that it names; null: selection decides, or its own text goes out. */
  scriptId: string | null;
  content: string | null;
  conditions: Condition | null;
  maxRetries: number;
}

export const plainStepsOf = ({ steps }: Pick<SequenceDefinition, 'steps'>): PlainStep[] => steps.map(plainStepOf);

function plainStepOf(step: StepDefinition, order: number): PlainStep {
  const { id, channels, due, script, content, when, maxRetries } = step;
  const anchor = ({ anchor: 'enrollment', previous: 'previous', event: 'event' } as const)[due.from];
  return { ...{ id, order, channels, anchor, content, maxRetries }, ...delayOf(due.delayMs), scriptId: nameOf(script), conditions: when };
}

const nameOf = (script: string | undefined) => (script === undefined || script === 'chosen' ? null : script);

/** In the largest unit that divides it. */
function delayOf(delayMs: number): Pick<PlainStep, 'delayValue' | 'delayUnit'> {
  const delayUnit = (['days', 'hours'] as const).find((unit) => delayMs > 0 && delayMs % unitMs[unit] === 0) ?? 'minutes';
  return { delayValue: delayMs / unitMs[delayUnit], delayUnit };
}

/** The field of a sequence's file that says when a step is due. */
export function dueField({
  delayValue,
  delayUnit,
  anchor,
}: Pick<PlainStep, 'delayValue' | 'delayUnit' | 'anchor'>): { at: string } | { after: string } {
  const span = formatDuration(delayValue * unitMs[delayUnit]);
  return anchor === 'enrollment' ? { at: span } : { after: span };
}
