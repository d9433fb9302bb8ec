import { type Condition, type SequenceDefinition, type StepDefinition, stepsNamedBy } from '../sequence/definition.ts';

/** Which arm somebody is in; null: it is left open. */
type KnownArm = (id: string) => boolean | null;

/**
 * What is left of a condition once something is known of the arm, and which steps there are.
 * @returns true or false where nothing is left to ask
 */
export function settledBy(condition: Condition, isArm: KnownArm, isStep: (id: string) => boolean): Condition | boolean {
  if (typeof condition === 'string') return condition;
  if ('arm' in condition) return isArm(condition.arm) ?? condition;
  if ('not' in condition) {
    const inner = settledBy(condition.not, isArm, isStep);
    return typeof inner === 'boolean' ? !inner : { not: inner };
  }
  if ('all' in condition) {
    const parts = condition.all.map((part) => settledBy(part, isArm, isStep));
    if (parts.includes(false)) return false;
    const open = parts.filter((part) => typeof part !== 'boolean');
    return open.length > 1 ? { all: open } : (open[0] ?? true);
  }
  if ('any' in condition) {
    const parts = condition.any.map((part) => settledBy(part, isArm, isStep));
    if (parts.includes(true)) return true;
    const open = parts.filter((part) => typeof part !== 'boolean');
    return open.length > 1 ? { any: open } : (open[0] ?? false);
  }
  // What is never sent is neither opened nor answered.
  return stepsNamedBy(condition).every(isStep) ? condition : false;
}

/**
 * The sequence as the people of one arm get it, without the others: every step that is left goes out when it did, under the conditions that it had.
 * @returns null: it has no such arm, or nothing that runs in order is left
 * Source: docs/rules.md#rule-123
 */
export function withArm(definition: SequenceDefinition, winner: string): SequenceDefinition | null {
  const { arms, compare: _, ...alone } = definition;
  if (arms?.some(({ id }) => id === winner) !== true) return null;
  return withSteps(alone, (id) => id === winner);
}

/** The sequence without one of its arms; with one arm left, there is nothing to compare. @returns as `withArm` */
export function withoutArm(definition: SequenceDefinition, arm: string): SequenceDefinition | null {
  const arms = definition.arms?.filter(({ id }) => id !== arm) ?? [];
  const [first, second] = arms;
  if (first === undefined || arms.length === definition.arms?.length) return null;
  if (second === undefined) return withArm(definition, first.id);
  return withSteps({ ...definition, arms }, (id) => (id === arm ? false : null));
}

function withSteps(definition: SequenceDefinition, isArm: KnownArm): SequenceDefinition | null {
  let steps: StepDefinition[] = definition.steps;
  for (;;) {
    const ids = new Set(steps.map(({ id }) => id));
    const left = withoutTheOthers(steps, isArm, (id) => ids.has(id));
    // A step that goes takes along those that react to it, and what was asked about it.
    if (left.length === steps.length) return left.some(({ on }) => on === undefined) ? { ...definition, steps: left } : null;
    steps = left;
  }
}

function withoutTheOthers(steps: readonly StepDefinition[], isArm: KnownArm, isStep: (id: string) => boolean): StepDefinition[] {
  const left: StepDefinition[] = [];
  /** Of the steps that run in order and went since the last one that stays: what the next one counts from. */
  let gone: StepDefinition['due'] | null = null;
  for (const step of steps) {
    const when = step.when === null ? true : settledBy(step.when, isArm, isStep);
    const reactsToNothing = step.on !== undefined && step.on.event !== 'asked_later' && !isStep(step.on.step);
    const stays = when !== false && !reactsToNothing;
    const due: StepDefinition['due'] =
      step.on === undefined && step.due.from === 'previous' && gone !== null ? { ...gone, delayMs: gone.delayMs + step.due.delayMs } : step.due;
    if (step.on === undefined) gone = stays ? null : due;
    if (!stays) continue;
    const lapsesWith = step.lapsesWith !== null && isStep(step.lapsesWith) ? step.lapsesWith : null;
    left.push({ ...step, due, lapsesWith, when: typeof when === 'boolean' ? null : when });
  }
  return left;
}
