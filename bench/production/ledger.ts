import type { Client } from '@temporalio/client';
import { eq } from 'drizzle-orm';
import { enrollments, messages, subjectKeys } from '../../db/schema/index.ts';
import type { BuiltDeps } from '../../operations/create-deps.ts';
import { createWorkflowEngine } from '../../temporal/engine.ts';
import { until } from '../measure.ts';
import type { BenchTenant } from '../recovery.ts';
import type { LedgerEntry } from './account.ts';

/** Every enrollment of a tenant, as the product reports it. */
export async function ledgerOf(deps: BuiltDeps, { tenantId }: BenchTenant): Promise<LedgerEntry[]> {
  const { begun, sent } = await deps.db.withTenant(tenantId, async (tx) => ({
    begun: await tx
      .select({ id: enrollments.id, endedAt: enrollments.endedAt, endedBy: enrollments.stopReason, cartId: subjectKeys.value })
      .from(enrollments)
      .innerJoin(subjectKeys, eq(subjectKeys.subjectId, enrollments.subjectId)),
    sent: await tx
      .select({
        enrollmentId: messages.enrollmentId,
        stepId: messages.stepId,
        state: messages.state,
        live: messages.live,
        reason: messages.skipReason,
        settledAt: messages.settledAt,
      })
      .from(messages),
  }));
  const entries = new Map<string, LedgerEntry>();
  for (const { id, endedAt, endedBy, cartId } of begun) {
    entries.set(id, { cartId, endedAtMs: endedAt, endedBy, messages: new Map() });
  }
  for (const { enrollmentId, stepId, settledAt, ...message } of sent) {
    entries.get(enrollmentId)?.messages.set(stepId, { ...message, settledAtMs: settledAt });
  }
  return [...entries.values()];
}

/** Ended, and no call open. */
export const settled = (entry: LedgerEntry) =>
  entry.endedAtMs !== null && [...entry.messages.values()].every(({ live, state }) => !live && state !== 'claimed');

/** The same from Temporal, once its visibility has caught up. */
export async function stillRunning(client: Client, { slug }: BenchTenant): Promise<string[]> {
  const engine = createWorkflowEngine(client);
  let running: string[] = [];
  const look = async () => {
    running = [];
    for await (const id of engine.listRunning(slug)) running.push(id);
    return running.length === 0;
  };
  await until('every workflow to end', look, 60_000, 500).catch(() => undefined);
  return running;
}
