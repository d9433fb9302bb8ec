import { and, desc, eq, lt, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../db/client.ts';
import { tasks } from '../db/schema/index.ts';
import { recordAudit } from './audit.ts';
import type { Deps } from './deps.ts';
import { type Page, pageOf } from './read/page.ts';

export type TaskRow = typeof tasks.$inferSelect;
export const taskStates = ['open', 'done', 'dismissed'] as const;

export interface NewTask {
  kind: string;
  /** Of tasks with one key only one is open: a repeat brings it up to date. */
  key: string | null;
  subjectId: string | null;
  data: Record<string, unknown>;
}

export async function addTask(tx: Tx, tenantId: string, task: NewTask): Promise<void> {
  await tx
    .insert(tasks)
    .values({ tenantId, id: uuidv7(), ...task })
    .onConflictDoUpdate({
      target: [tasks.tenantId, tasks.key],
      targetWhere: sql`state = 'open'`,
      set: { data: sql`${tasks.data} || excluded.data` },
    });
}

/** The latest first. */
export function listTasks(
  deps: Pick<Deps, 'db'>,
  tenantId: string,
  search: { state?: TaskRow['state'] | undefined; kind?: string | undefined },
  { limit, after }: { limit: number; after: string | null },
): Promise<Page<TaskRow>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const rows = await tx
      .select()
      .from(tasks)
      .where(
        and(
          search.state === undefined ? undefined : eq(tasks.state, search.state),
          search.kind === undefined ? undefined : eq(tasks.kind, search.kind),
          after === null ? undefined : lt(tasks.id, after),
        ),
      )
      .orderBy(desc(tasks.id))
      .limit(limit + 1);
    return pageOf(rows, limit, ({ id }) => id);
  });
}

/** Say what came of a task. @returns null: there is none; one that is closed already stays as it is */
export function closeTask(
  deps: Pick<Deps, 'db' | 'clock'>,
  tenantId: string,
  id: string,
  { state, result, by }: { state: 'done' | 'dismissed'; result: string | null; by: string },
): Promise<{ kind: 'closed' | 'was_closed'; task: TaskRow } | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [task] = await tx.select().from(tasks).where(eq(tasks.id, id)).for('update');
    if (task === undefined) return null;
    if (task.state !== 'open') return { kind: 'was_closed', task };
    const [closed] = await tx.update(tasks).set({ state, result, closedAt: deps.clock.nowMs(), closedBy: by }).where(eq(tasks.id, id)).returning();
    await recordAudit(tx, { tenantId, actor: by, action: 'task.close', subject: id, data: { state } });
    return { kind: 'closed', task: closed ?? task };
  });
}
