import { createHash } from 'node:crypto';
import { and, asc, eq, inArray, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { type Tx, unawaited } from '../../db/client.ts';
import { assignments, enrollmentEvents } from '../../db/schema/index.ts';
import { type Arm, armOf } from '../../domain/experiments/arm.ts';
import type { Facts } from '../../domain/gates/facts.ts';
import type { EnrollmentRow } from './progress.ts';

/** The assignment of a person in a sequence, before it is activated. */
export interface Assignment {
  holdout: NonNullable<Facts['holdout']>;
  /** What is to be stored with the activation; null: it was stored before. */
  toStore: { arm: Arm; share: number } | null;
}

/** Where a person lies in [0, 1) for one salt: 48 bits of a SHA-256, so evenly spread, and anew for every salt. */
export function pointOf(salt: string, personId: string): number {
  return createHash('sha256').update(`${salt}\n${personId}`).digest().readUIntBE(0, 6) / 2 ** 48;
}

/**
 * The arm of the enrollment's person, under the person's lock. The first one that any of the person's contacts got stays, also after a merge and after
 * a change of the share. Who was taken into the sequence by hand is meant to get its messages.
 * @returns null: the sequence holds nobody out, or not this enrollment
 */
export async function readAssignment(
  tx: Tx,
  enrollment: EnrollmentRow,
  { personId, contactIds, holdoutPercent }: { personId: string; contactIds: readonly string[]; holdoutPercent: number },
): Promise<Assignment | null> {
  if (holdoutPercent === 0 || enrollment.activatedAt !== null) return null;
  const [stored] = await tx
    .select({ arm: assignments.arm })
    .from(assignments)
    .where(and(eq(assignments.sequenceId, enrollment.sequenceId), inArray(assignments.contactId, [...contactIds])))
    .orderBy(asc(assignments.assignedAt), asc(assignments.id))
    .limit(1);
  const arm = stored?.arm ?? armOf(pointOf(enrollment.sequenceId, personId), holdoutPercent);
  if (arm === 'holdout' && (await beganByHand(tx, enrollment))) return null;
  const toStore = stored === undefined ? { arm, share: holdoutPercent / 100 } : null;
  return { holdout: { percent: holdoutPercent, heldOut: arm === 'holdout' }, toStore };
}

async function beganByHand(tx: Tx, enrollment: EnrollmentRow): Promise<boolean> {
  const found = await tx
    .select({ id: enrollmentEvents.id })
    .from(enrollmentEvents)
    .where(and(eq(enrollmentEvents.enrollmentId, enrollment.id), eq(enrollmentEvents.type, 'enrolled'), sql`data ->> 'by' = 'hand'`))
    .limit(1);
  return found.length > 0;
}

/** Written with the activation, so before the first send. */
export function storeAssignment(tx: Tx, enrollment: EnrollmentRow, { toStore }: Assignment): void {
  if (toStore === null) return;
  const { tenantId, sequenceId, contactId } = enrollment;
  unawaited(
    tx,
    tx
      .insert(assignments)
      .values({ tenantId, id: uuidv7(), sequenceId, contactId, ...toStore })
      .onConflictDoNothing(),
  );
}
