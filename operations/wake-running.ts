import { and, isNull, type SQL, sql } from 'drizzle-orm';
import type { Tx } from '../db/client.ts';
import { decisions, enrollments, outbox } from '../db/schema/index.ts';
import type { HoldReason } from '../domain/sequence/plan.ts';

/** Let the workflows of some open enrollments ask anew what comes next. */
export async function wakeRunning(tx: Tx, which: SQL | undefined): Promise<void> {
  await tx.execute(
    sql`insert into ${outbox} (tenant_id, enrollment_id, kind) select ${enrollments.tenantId}, ${enrollments.id}, 'wake' from ${enrollments}
      where ${and(which, isNull(enrollments.endedAt))}`,
  );
}

/** What these were held for is over: what waits because of it goes on at once. Due times stay. */
export async function releaseHeld(tx: Tx, which: SQL | undefined, reason: HoldReason): Promise<void> {
  const wasHeld = sql`exists (select 1 from ${decisions} where ${decisions.enrollmentId} = ${enrollments.id}
    and ${decisions.verdict} = 'hold' and ${decisions.reason} = ${reason})`;
  await tx
    .update(enrollments)
    .set({ notBefore: {} })
    .where(and(which, isNull(enrollments.endedAt), sql`${enrollments.notBefore} <> '{}'`, wasHeld));
  await wakeRunning(tx, which);
}
