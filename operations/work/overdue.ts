import { and, asc, eq, lte, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { experiments, tasks } from '../../db/schema/index.ts';
import { nextOverdueMove } from '../../domain/work/overdue.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { readApproval } from '../composition/approvals.ts';
import type { TaskRow } from '../tasks.ts';
import { approvalKind, closeApproval } from './approval-task.ts';
import { chooseNext, readWorkRules, type WorkRules } from './choose-owner.ts';

/** Of one store in one go, so that none holds up the others for long. */
const mostAtOnce = 50;
const actor = 'overdue';

/**
 * Look after overdue tasks of all stores: remind their owners, then pass them on to the next one. The notifications are written by triggers,
 * in the same transaction.
 * Source: docs/rules.md#rule-119
 * @returns whether there may be more at once
 */
export async function overduePass(deps: Pick<Deps, 'db' | 'clock' | 'log' | 'kickRelay'>): Promise<boolean> {
  let more = false;
  for (const tenantId of await deps.db.tenantsWithWork('overdue_tasks')) {
    let looked = 0;
    while (looked < mostAtOnce && (await attendNext(deps, tenantId))) looked += 1;
    if (looked > 0) deps.kickRelay();
    more = looked === mostAtOnce || more;
  }
  return more;
}

/** @returns false: none is due, or another process has it in hand */
function attendNext(deps: Pick<Deps, 'db' | 'clock' | 'log'>, tenantId: string): Promise<boolean> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [task] = await tx
      .select()
      .from(tasks)
      .where(and(eq(tasks.state, 'open'), lte(tasks.overdueAt, sql`clock_timestamp()`)))
      .orderBy(asc(tasks.overdueAt))
      .limit(1)
      .for('update', { skipLocked: true });
    if (task === undefined) return false;
    await attend(tx, deps, task);
    return true;
  });
}

async function attend(tx: Tx, { clock, log }: Pick<Deps, 'clock' | 'log'>, task: TaskRow): Promise<void> {
  const { tenantId, id, owner } = task;
  const nowMs = clock.nowMs();
  const until = await neededUntil(tx, task, nowMs);
  if (until === 'over') {
    await closeApproval(tx, { tenantId, key: task.key ?? '', state: 'dismissed', result: 'it was not decided in time', by: actor, nowMs });
    return;
  }
  const rules = await readWorkRules(tx, tenantId);
  const facts = { dueMs: task.dueAt, givenMs: task.givenAt ?? task.createdAt, isAccepted: task.acceptedAt !== null, made: task.reminders };
  const move = nextOverdueMove(facts, rules.settings.overdueTasks, nowMs);
  if (move.does === 'pass_on') {
    const next = await nextOwner(tx, rules, task, nowMs);
    if (next === null) {
      await tx.update(tasks).set({ overdueAt: until }).where(eq(tasks.id, id));
      log.warn({ tenantId, task: id, kind: task.kind }, 'a task is overdue, and nobody is left whom it could go to');
      return;
    }
    await tx
      .update(tasks)
      .set({ owner: next, late: owner === null || task.late.includes(owner) ? task.late : [...task.late, owner] })
      .where(eq(tasks.id, id));
    await recordAudit(tx, { tenantId, actor, action: 'task.pass_on', subject: id, data: { from: owner, to: next } });
    log.info({ tenantId, task: id, kind: task.kind }, 'an overdue task went to the next one');
    return;
  }
  // The moment may have been put off a little by a clock that is behind: never look at it in a tight loop.
  const next = [move.nextMs, until].filter((ms) => ms !== null).map((ms) => Math.max(ms, nowMs + 1_000));
  await tx
    .update(tasks)
    .set({ reminders: move.made, overdueAt: next.length === 0 ? null : Math.min(...next) })
    .where(eq(tasks.id, id));
  if (move.does === 'remind') await recordAudit(tx, { tenantId, actor, action: 'task.remind', subject: id, data: { owner, reminder: move.made } });
}

/** @returns null: everybody had it */
function nextOwner(tx: Tx, rules: WorkRules, { owner, late }: TaskRow, nowMs: number): Promise<string | null> {
  const had = new Set([...late, ...(owner === null ? [] : [owner])]);
  return chooseNext(tx, rules, rules.settings.overdueTasks.order, had, nowMs);
}

/** Until when the decision that a task asks for is needed; null: there is no such end. `over`: nobody needs it any more. */
async function neededUntil(tx: Tx, { tenantId, kind, data }: TaskRow, nowMs: number): Promise<number | 'over' | null> {
  if (kind !== approvalKind) return null;
  const experiment = data['experiment'];
  if (typeof experiment === 'string') {
    const [test] = await tx.select({ takeover: experiments.takeover }).from(experiments).where(eq(experiments.id, experiment));
    return test?.takeover === 'suggested' ? null : 'over';
  }
  const id = data['composition'];
  if (typeof id !== 'string') return null;
  const approval = await readApproval(tx, tenantId, id);
  if (approval?.state !== 'waiting') return 'over';
  // The step may wait for something else by then, so decide again.
  return Math.max(approval.waitsUntilMs ?? 0, nowMs + 60_000);
}
