import { eq } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { enrollmentEvents, enrollments } from '../db/schema/index.ts';
import type { FinishReason } from '../domain/sequence/plan.ts';
import { lockStep } from './dispatch/fence.ts';
import { endEnrollment, endOf } from './dispatch/records.ts';
import type { Deps } from './deps.ts';

/**
 * Write to Postgres an end that came from Temporal: an operator's signal or cancellation. The first end stays.
 * @returns the end that Postgres holds now; null: it does not know the enrollment
 */
export async function closeEnrollment(
  deps: Pick<Deps, 'db'>,
  input: { tenantId: string; enrollmentId: string; reason: FinishReason; note: string | null },
): Promise<FinishReason | null> {
  return deps.db.withTenant(input.tenantId, async (tx) => {
    const locked = await lockStep(tx, input.enrollmentId, '');
    if (locked === null) return null;
    const { enrollment } = locked;
    if (await endEnrollment(tx, enrollment, input.reason)) {
      if (input.note !== null)
        await tx
          .update(enrollments)
          .set({ stopNote: input.note.slice(0, 500) })
          .where(eq(enrollments.id, enrollment.id));
      const type = input.reason === 'completed' ? 'completed' : 'stopped';
      await tx
        .insert(enrollmentEvents)
        .values({ tenantId: input.tenantId, id: uuidv7(), enrollmentId: enrollment.id, type, data: { reason: input.reason, by: 'temporal' } });
      return input.reason;
    }
    return endOf(enrollment);
  });
}

/** Record in Postgres that a workflow is held, or goes on. */
export async function holdEnrollment(deps: Pick<Deps, 'db'>, input: { tenantId: string; enrollmentId: string; held: boolean }): Promise<void> {
  await deps.db.withTenant(input.tenantId, async (tx) => {
    const locked = await lockStep(tx, input.enrollmentId, '');
    if (locked === null || locked.enrollment.endedAt !== null) return;
    await tx
      .update(enrollments)
      .set({ held: input.held ? 'paused' : null, status: input.held ? 'PAUSED' : 'ACTIVE' })
      .where(eq(enrollments.id, input.enrollmentId));
    await tx.insert(enrollmentEvents).values({
      tenantId: input.tenantId,
      id: uuidv7(),
      enrollmentId: input.enrollmentId,
      type: input.held ? 'paused' : 'resumed',
      data: { by: 'temporal' },
    });
  });
}
