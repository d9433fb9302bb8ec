import { eq, getTableColumns } from 'drizzle-orm';
import { enrollments, messages } from '../db/schema/index.ts';
import type { FinishReason, Progress } from '../domain/sequence/plan.ts';
import type { Deps } from './deps.ts';
import { readProgress } from './dispatch/progress.ts';
import { endOf } from './dispatch/records.ts';

/**
 * Where an enrollment stands, for a workflow that was woken. Read without the person's lock: every dispatch decides on what it reads itself.
 * @returns null: Postgres does not know the enrollment
 */
export async function currentProgress(
  deps: Pick<Deps, 'db'>,
  input: { tenantId: string; enrollmentId: string },
): Promise<{ progress: Progress; ended: FinishReason | null } | null> {
  return deps.db.withTenant(input.tenantId, async (tx) => {
    const { payload: _, ...columns } = getTableColumns(messages);
    const [[enrollment], ledger] = await Promise.all([
      tx.select().from(enrollments).where(eq(enrollments.id, input.enrollmentId)),
      tx.select(columns).from(messages).where(eq(messages.enrollmentId, input.enrollmentId)),
    ]);
    return enrollment === undefined ? null : { progress: readProgress(enrollment, ledger), ended: endOf(enrollment) };
  });
}
