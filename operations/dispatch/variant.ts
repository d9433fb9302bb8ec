import { and, asc, eq, inArray } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { type Tx, unawaited } from '../../db/client.ts';
import { enrollments, experiments, messages, variantAssignments } from '../../db/schema/index.ts';
import { areSameArms } from '../../domain/experiments/take-over.ts';
import { leastUsed, type SequenceArm, sharesOf, variantAt, wholeSequence } from '../../domain/experiments/variant.ts';
import type { SequenceDefinition, StepDefinition, StepVariant } from '../../domain/sequence/definition.ts';
import { differInReach } from '../../domain/sequence/step-of-variant.ts';
import { pointOf } from './assignment.ts';
import type { EnrollmentRow } from './progress.ts';

/** What a person gets of a step that has variants. */
export interface ChosenVariant {
  variant: StepVariant;
  /** The variants go out at different times. Then a person is assigned when the step is due, whenever theirs goes out: who buys in between counts too. */
  isTimed: boolean;
  /** Some people may get one of the variants and not another. Then they are assigned when the step is due, whatever becomes of theirs. Source: docs/rules.md#rule-128 */
  differsInReach: boolean;
  /** What is to be stored with the claim; null: it was stored before. */
  toStore: { shares: Record<string, number> } | null;
}

/**
 * The variant of a person, under the person's lock, by a hash as the holdout's. The first one that any of the person's contacts got stays, after a merge and
 * after a change of the weights; one that the step no longer has is drawn anew and not stored.
 * @returns null: the step has one content
 * Source: docs/rules.md#rule-35
 */
export async function readVariant(
  tx: Tx,
  { id: enrollmentId, sequenceId }: Pick<EnrollmentRow, 'id' | 'sequenceId'>,
  {
    personId,
    contactIds,
    step,
  }: { personId: string; contactIds: readonly string[]; step: Pick<StepDefinition, 'id' | 'variants' | 'varied' | 'compare'> },
): Promise<ChosenVariant | null> {
  const { variants } = step;
  if (variants === undefined) return null;
  if (step.varied === true)
    return {
      variant: await unusedVariant(tx, { enrollmentId, sequenceId, stepId: step.id, personId, contactIds, variants }),
      isTimed: false,
      differsInReach: false,
      toStore: null,
    };
  const stored = await firstAssigned(tx, { sequenceId, stepId: step.id, contactIds });
  const kept = variants.find(({ id }) => id === stored);
  const drawn = async () =>
    drawnVariant(sequenceId, personId, { id: step.id, variants: await sharedNow(tx, { sequenceId, stepId: step.id }, step.compare, variants) });
  const variant = kept ?? (await drawn());
  return {
    variant,
    isTimed: variants.some(({ laterMs }) => laterMs !== undefined),
    differsInReach: differInReach(variants),
    toStore: stored === null ? { shares: sharesOf(variants) } : null,
  };
}

/**
 * The arms with the shares by which a bandit draws now. They only matter to whoever has none: an arm that was stored stays.
 * Source: docs/adr/0124-bandits-of-steps.md
 */
async function sharedNow<Arm extends SequenceArm>(
  tx: Tx,
  { sequenceId, stepId }: { sequenceId: string; stepId: string },
  compare: StepDefinition['compare'],
  arms: readonly Arm[],
): Promise<readonly Arm[]> {
  if (compare !== 'bandit') return arms;
  const [running] = await tx
    .select({ shares: experiments.shares, drawnBy: experiments.drawnBy })
    .from(experiments)
    .where(
      and(eq(experiments.sequenceId, sequenceId), eq(experiments.stepId, stepId), eq(experiments.status, 'RUNNING'), eq(experiments.mode, 'bandit')),
    );
  const drawnBy = running?.drawnBy ?? null;
  // Another version may compare others.
  if (running === undefined || drawnBy === null || !areSameArms(running.shares, sharesOf(arms))) return arms;
  return arms.map((arm) => ({ ...arm, weight: drawnBy[arm.id] ?? 0 }));
}

/** By a hash of the sequence, the step and the person. */
export const drawnVariant = (sequenceId: string, personId: string, step: { id: string; variants: readonly StepVariant[] }): StepVariant =>
  variantAt(pointOf(`${sequenceId}\n${step.id}`, personId), step.variants);

interface VarietyOf {
  enrollmentId: string;
  sequenceId: string;
  stepId: string;
  personId: string;
  contactIds: readonly string[];
  variants: readonly StepVariant[];
}

/**
 * One by chance of those that the person has had least often from this step, in any of their enrollments; a message that is tried again keeps its own. What
 * may have gone out counts.
 * Source: docs/rules.md#rule-63
 */
async function unusedVariant(tx: Tx, { enrollmentId, sequenceId, stepId, personId, contactIds, variants }: VarietyOf): Promise<StepVariant> {
  const had = await tx
    .select({ enrollmentId: messages.enrollmentId, variant: messages.variant, state: messages.state })
    .from(messages)
    .innerJoin(enrollments, and(eq(enrollments.tenantId, messages.tenantId), eq(enrollments.id, messages.enrollmentId)))
    .where(and(inArray(messages.contactId, [...contactIds]), eq(messages.stepId, stepId), eq(enrollments.sequenceId, sequenceId)));
  const own = variants.find(({ id }) => had.some((m) => m.enrollmentId === enrollmentId && m.variant === id));
  if (own !== undefined) return own;
  const wentOut = had.filter((m) => m.enrollmentId !== enrollmentId && (m.state === 'sent' || m.state === 'unknown' || m.state === 'claimed'));
  return leastUsed(
    variants,
    wentOut.flatMap(({ variant }) => variant ?? []),
    pointOf(`${enrollmentId}\n${stepId}`, personId),
  );
}

/** The course that a person takes through a sequence that compares several. */
export interface ChosenArm {
  id: string;
  /** What is to be stored; null: it was stored before. */
  toStore: { shares: Record<string, number> } | null;
}

/**
 * As `readVariant`, for the sequence as a whole: the first arm that any of the person's contacts got stays, in every enrollment.
 * @returns null: everybody takes the same course
 * Source: docs/rules.md#rule-123
 */
export async function readArm(
  tx: Tx,
  sequenceId: string,
  { personId, contactIds, definition }: { personId: string; contactIds: readonly string[]; definition: Pick<SequenceDefinition, 'arms' | 'compare'> },
): Promise<ChosenArm | null> {
  const { arms, compare } = definition;
  if (arms === undefined) return null;
  const stored = await firstAssigned(tx, { sequenceId, stepId: wholeSequence, contactIds });
  const kept = arms.find(({ id }) => id === stored);
  const drawn = async () => drawnArm(sequenceId, personId, await sharedNow(tx, { sequenceId, stepId: wholeSequence }, compare, arms));
  return { id: (kept ?? (await drawn())).id, toStore: stored === null ? { shares: sharesOf(arms) } : null };
}

/** By a hash of the sequence and the person. */
export const drawnArm = (sequenceId: string, personId: string, arms: readonly SequenceArm[]): SequenceArm =>
  variantAt(pointOf(`${sequenceId}\n${wholeSequence}`, personId), arms);

/** The variant that any of the person's contacts got first; null: none yet. */
async function firstAssigned(
  tx: Tx,
  { sequenceId, stepId, contactIds }: { sequenceId: string; stepId: string; contactIds: readonly string[] },
): Promise<string | null> {
  const [stored] = await tx
    .select({ variant: variantAssignments.variant })
    .from(variantAssignments)
    .where(
      and(
        eq(variantAssignments.sequenceId, sequenceId),
        eq(variantAssignments.stepId, stepId),
        inArray(variantAssignments.contactId, [...contactIds]),
      ),
    )
    .orderBy(asc(variantAssignments.assignedAt), asc(variantAssignments.id))
    .limit(1);
  return stored?.variant ?? null;
}

/** Written with the first decision that finds the subject left alone, whatever it is: whom their arm sends nothing at that time is in it as well. */
export function storeSequenceArm(tx: Tx, enrollment: EnrollmentRow, { id, toStore }: ChosenArm): void {
  if (toStore !== null) insertAssignment(tx, enrollment, { stepId: wholeSequence, variant: id, shares: toStore.shares });
}

function insertAssignment(
  tx: Tx,
  { tenantId, sequenceId, contactId }: EnrollmentRow,
  assigned: { stepId: string; variant: string; shares: Record<string, number> },
): void {
  unawaited(
    tx,
    tx
      .insert(variantAssignments)
      .values({ tenantId, id: uuidv7(), sequenceId, contactId, ...assigned })
      .onConflictDoNothing(),
  );
}

/** Written with the claim, so before the first send. */
export function storeVariant(tx: Tx, enrollment: EnrollmentRow, stepId: string, { variant, toStore }: ChosenVariant): void {
  if (toStore !== null) insertAssignment(tx, enrollment, { stepId, variant: variant.id, shares: toStore.shares });
}
