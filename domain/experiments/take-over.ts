import type { SequenceDefinition, StepDefinition } from '../sequence/definition.ts';
import { sharesOf } from './variant.ts';

/** The steps whose variants are compared, with the share of each variant. Variants that are there for variety are no test. */
export function comparedSteps({ steps }: Pick<SequenceDefinition, 'steps'>): { stepId: string; shares: Record<string, number> }[] {
  return steps.flatMap(({ id, variants, varied }) => (variants === undefined || varied === true ? [] : [{ stepId: id, shares: sharesOf(variants) }]));
}

/** Whether people are assigned to the same arms by the same shares. */
export function areSameArms(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean {
  const ids = Object.keys(a);
  return ids.length === Object.keys(b).length && ids.every((id) => b[id] !== undefined && Math.abs((a[id] ?? 0) - b[id]) < 1e-9);
}

/**
 * The sequence in which everybody gets one variant of a step, at its time. A step that counts from it keeps its own time.
 * @returns null: the step has no such variant
 */
export function withWinner(definition: SequenceDefinition, stepId: string, winner: string): SequenceDefinition | null {
  const index = definition.steps.findIndex(({ id }) => id === stepId);
  const step = definition.steps[index];
  const chosen = step?.variants?.find(({ id }) => id === winner);
  if (step === undefined || chosen === undefined) return null;
  const { variants: _, ...rest } = step;
  const laterMs = chosen.laterMs ?? 0;
  const after = definition.steps.findIndex((one, at) => at > index && one.on === undefined);
  const changed = (one: StepDefinition, at: number): StepDefinition => {
    if (at === index) return { ...rest, content: chosen.content, due: { ...step.due, delayMs: step.due.delayMs + laterMs } };
    const counts = at === after && one.due.from === 'previous' && step.on === undefined;
    return counts ? { ...one, due: { ...one.due, delayMs: Math.max(0, one.due.delayMs - laterMs) } } : one;
  };
  return { ...definition, steps: definition.steps.map(changed) };
}
