import type { SequenceDefinition, StepDefinition, StepVariant } from '../sequence/definition.ts';
import { channelsOfVariants, stepOfVariant } from '../sequence/step-of-variant.ts';
import { withArm, withoutArm } from './sequence-arm.ts';
import { sharesOf, wholeSequence } from './variant.ts';

/** What is compared, by the share of each arm as the version has it. */
export interface Compared {
  stepId: string;
  shares: Record<string, number>;
  mode: 'test' | 'bandit';
}

/** What a sequence compares: its own courses, by `wholeSequence`, and the variants of steps. Variants that are there for variety are no test. */
export function comparedIn({ steps, arms, compare }: Pick<SequenceDefinition, 'steps' | 'arms' | 'compare'>): Compared[] {
  const whole: Compared[] = arms === undefined ? [] : [{ stepId: wholeSequence, shares: sharesOf(arms), mode: compare ?? 'test' }];
  const ofSteps = steps.flatMap(({ id, variants, varied, compare }): Compared[] =>
    variants === undefined || varied === true ? [] : [{ stepId: id, shares: sharesOf(variants), mode: compare ?? 'test' }],
  );
  return [...whole, ...ofSteps];
}

/** Whether people are assigned to the same arms by the same shares. */
export function areSameArms(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean {
  const ids = Object.keys(a);
  return ids.length === Object.keys(b).length && ids.every((id) => b[id] !== undefined && Math.abs((a[id] ?? 0) - b[id]) < 1e-9);
}

/**
 * The sequence in which everybody gets one variant of a step, at its time, or takes one course. A step that counts from it keeps its own time.
 * @returns null: there is no such variant or arm
 */
export function withWinner(definition: SequenceDefinition, stepId: string, winner: string): SequenceDefinition | null {
  return stepId === wholeSequence ? withArm(definition, winner) : withVariants(definition, stepId, ({ id }) => id === winner);
}

/** The sequence without an arm that does harm: what is left goes out at its time, and is compared where it is two at least. @returns null: there is no such arm, or none beside it */
export function withoutVariant(definition: SequenceDefinition, stepId: string, arm: string): SequenceDefinition | null {
  if (stepId === wholeSequence) return withoutArm(definition, arm);
  const known = definition.steps.find(({ id }) => id === stepId)?.variants ?? [];
  return known.some(({ id }) => id === arm) ? withVariants(definition, stepId, ({ id }) => id !== arm) : null;
}

/** The earliest variant that is left goes out when the step is due. */
function withVariants(definition: SequenceDefinition, stepId: string, isLeft: (variant: StepVariant) => boolean): SequenceDefinition | null {
  const index = definition.steps.findIndex(({ id }) => id === stepId);
  const step = definition.steps[index];
  const left = step?.variants?.filter(isLeft) ?? [];
  const [first] = left;
  if (step === undefined || first === undefined) return null;
  const laterMs = Math.min(...left.map((variant) => variant.laterMs ?? 0));
  const { variants: _, compare: __, ...alone } = left.length < 2 ? stepOfVariant(step, first) : step;
  const compared =
    left.length < 2
      ? {}
      : {
          channels: channelsOfVariants(step.channels, left),
          variants: left.map((variant) => sooner(variant, laterMs)),
          ...(step.compare === undefined ? {} : { compare: step.compare }),
        };
  const after = definition.steps.findIndex((one, at) => at > index && one.on === undefined);
  const changed = (one: StepDefinition, at: number): StepDefinition => {
    if (at === index) return { ...alone, ...compared, content: first.content, due: { ...step.due, delayMs: step.due.delayMs + laterMs } };
    const counts = at === after && one.due.from === 'previous' && step.on === undefined;
    return counts ? { ...one, due: { ...one.due, delayMs: Math.max(0, one.due.delayMs - laterMs) } } : one;
  };
  return { ...definition, steps: definition.steps.map(changed) };
}

function sooner({ laterMs = 0, ...variant }: StepVariant, byMs: number): StepVariant {
  return laterMs === byMs ? variant : { ...variant, laterMs: laterMs - byMs };
}
