import { and, eq, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../../db/client.ts';
import { tasks } from '../../db/schema/index.ts';
import { recordAudit } from '../audit.ts';
import { chooseOwner, readWorkRules } from './choose-owner.ts';

/** Something of the product's that goes on only with a person's approval. */
export interface Approval {
  tenantId: string;
  /** Names what waits, the same each time: of tasks about it one is open. */
  key: string;
  subjectId: string | null;
  enrollmentId: string | null;
  recommendation: string;
  /** Names what waits for programs. No personal data. */
  data: Record<string, string>;
  /** When the decision is needed, epoch milliseconds. */
  dueMs: number;
}

export const approvalKind = 'approval';
export const compositionKey = (id: string) => `approval:${id}`;
export const winnerKey = (experimentId: string) => `winner:${experimentId}`;

/** Put what waits for a person's approval into the list of tasks; a repeat brings it up to date. Its owner is a manager by the store's rule, and is told of it. */
export async function openApproval(tx: Tx, approval: Approval, nowMs: number): Promise<void> {
  const { tenantId, key, subjectId, enrollmentId, recommendation, data, dueMs } = approval;
  const owner = await chooseOwner(tx, await readWorkRules(tx, tenantId), { role: 'manager', skill: null }, nowMs);
  const said = { recommendation, data, dueAt: Math.max(dueMs, nowMs) };
  await tx
    .insert(tasks)
    .values({ tenantId, id: uuidv7(), kind: approvalKind, key, owner, subjectId, enrollmentId, ...said })
    .onConflictDoUpdate({ target: [tasks.tenantId, tasks.key], targetWhere: sql`state = 'open'`, set: said });
}

/** Close the task: it was decided, or the decision is no longer needed. Without an open task nothing happens. */
export async function closeApproval(
  tx: Tx,
  {
    tenantId,
    key,
    state,
    result,
    by,
    nowMs,
  }: { tenantId: string; key: string; state: 'done' | 'dismissed'; result: string; by: string; nowMs: number },
): Promise<void> {
  const closed = await tx
    .update(tasks)
    .set({ state, result, closedAt: nowMs, closedBy: by })
    .where(and(eq(tasks.key, key), eq(tasks.state, 'open')))
    .returning({ id: tasks.id });
  for (const { id } of closed) await recordAudit(tx, { tenantId, actor: by, action: 'task.close', subject: id, data: { state } });
}
