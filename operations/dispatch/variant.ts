import { and, asc, eq, inArray } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { type Tx, unawaited } from '../../db/client.ts';
import { enrollments, messages, variantAssignments } from '../../db/schema/index.ts';
import { leastUsed, sharesOf, type Variant, variantAt } from '../../domain/experiments/variant.ts';
import type { StepDefinition } from '../../domain/sequence/definition.ts';
import { pointOf } from './assignment.ts';
import type { EnrollmentRow } from './progress.ts';

/** What a person gets of a step that has variants. */
export interface ChosenVariant {
  variant: Variant;
  /** The variants go out at different times. Then a person is assigned when the step is due, whenever theirs goes out: who buys in between counts too. */
  isTimed: boolean;
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
  { personId, contactIds, step }: { personId: string; contactIds: readonly string[]; step: Pick<StepDefinition, 'id' | 'variants' | 'varied'> },
): Promise<ChosenVariant | null> {
  const { variants } = step;
  if (variants === undefined) return null;
  if (step.varied === true)
    return {
      variant: await unusedVariant(tx, { enrollmentId, sequenceId, stepId: step.id, personId, contactIds, variants }),
      isTimed: false,
      toStore: null,
    };
  const [stored] = await tx
    .select({ variant: variantAssignments.variant })
    .from(variantAssignments)
    .where(
      and(
        eq(variantAssignments.sequenceId, sequenceId),
        eq(variantAssignments.stepId, step.id),
        inArray(variantAssignments.contactId, [...contactIds]),
      ),
    )
    .orderBy(asc(variantAssignments.assignedAt), asc(variantAssignments.id))
    .limit(1);
  const kept = variants.find(({ id }) => id === stored?.variant);
  const variant = kept ?? variantAt(pointOf(`${sequenceId}\n${step.id}`, personId), variants);
  return {
    variant,
    isTimed: variants.some(({ laterMs }) => laterMs !== undefined),
    toStore: stored === undefined ? { shares: sharesOf(variants) } : null,
  };
}

interface VarietyOf {
  enrollmentId: string;
  sequenceId: string;
  stepId: string;
  personId: string;
  contactIds: readonly string[];
  variants: readonly Variant[];
}

/**
 * One by chance of those that the person has had least often from this step, in any of their enrollments; a message that is tried again keeps its own. What
 * may have gone out counts.
 * Source: docs/rules.md#rule-63
 */
async function unusedVariant(tx: Tx, { enrollmentId, sequenceId, stepId, personId, contactIds, variants }: VarietyOf): Promise<Variant> {
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

/** Written with the claim, so before the first send. */
export function storeVariant(tx: Tx, enrollment: EnrollmentRow, stepId: string, { variant, toStore }: ChosenVariant): void {
  if (toStore === null) return;
  const { tenantId, sequenceId, contactId } = enrollment;
  unawaited(
    tx,
    tx
      .insert(variantAssignments)
      .values({ tenantId, id: uuidv7(), sequenceId, stepId, contactId, variant: variant.id, shares: toStore.shares })
      .onConflictDoNothing(),
  );
}
