import { and, desc, eq, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../db/client.ts';
import { enrollments, subjects, tasks } from '../db/schema/index.ts';
import { recordAudit } from './audit.ts';
import type { Deps } from './deps.ts';
import { type Page, type PageWanted, readList, readSorted } from './read/page.ts';
import { takeOverByHand } from './stop-one.ts';
import { approvalKind } from './work/approval-task.ts';

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
  search: { state?: TaskRow['state'] | undefined; kind?: string | undefined; owner?: string | undefined },
  page: PageWanted,
): Promise<Page<TaskRow>> {
  return readList(deps, tenantId, async (tx) => {
    const { items, next } = await readSorted(page, { usual: 'newest', id: tasks.id, columns: { due_at: tasks.dueAt } }, (part) =>
      tx
        .select({ id: tasks.id, sortedBy: part.sortedBy, task: tasks })
        .from(tasks)
        .where(
          and(
            search.state === undefined ? undefined : eq(tasks.state, search.state),
            search.kind === undefined ? undefined : eq(tasks.kind, search.kind),
            search.owner === undefined ? undefined : eq(tasks.owner, search.owner),
            part.where,
          ),
        )
        .orderBy(...part.orderBy)
        .limit(part.limit),
    );
    return { items: items.map(({ task }) => task), next };
  });
}

/** Say what came of a task. @returns null: there is none; one that is closed already stays as it is */
export function closeTask(
  deps: Pick<Deps, 'db' | 'clock'>,
  tenantId: string,
  id: string,
  { state, result, by }: { state: 'done' | 'dismissed'; result: string | null; by: string },
  guard: TaskGuard = unguarded,
): Promise<{ kind: 'closed' | 'was_closed' | 'held_back'; task: TaskRow } | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [task] = await tx.select().from(tasks).where(eq(tasks.id, id)).for('update');
    if (task === undefined) return null;
    if (!(await guard(tx, task))) return { kind: 'held_back', task };
    if (task.state !== 'open') return { kind: 'was_closed', task };
    const [closed] = await tx.update(tasks).set({ state, result, closedAt: deps.clock.nowMs(), closedBy: by }).where(eq(tasks.id, id)).returning();
    await recordAudit(tx, { tenantId, actor: by, action: 'task.close', subject: id, data: { state } });
    return { kind: 'closed', task: closed ?? task };
  });
}

/**
 * Asked in the transaction of a change, under the lock of the task and before anything else: whether it may be made. Where it says yes, it has written down
 * that it did, so that a link of a notification is used once.
 */
export type TaskGuard = (tx: Tx, task: TaskRow) => Promise<boolean>;
const unguarded: TaskGuard = () => Promise.resolve(true);

export type TaskChanged =
  | { kind: 'changed'; task: TaskRow }
  /** The guard said no. */
  | { kind: 'held_back'; task: TaskRow }
  | { kind: 'was_closed'; task: TaskRow }
  /** Somebody else has accepted it. */
  | { kind: 'accepted_by_other'; task: TaskRow }
  /** A call to its person may be running: accept it again in a moment. */
  | { kind: 'busy'; task: TaskRow };

/**
 * Take a task: from then on its person is taken over, and the automatic steps about them are held. Of several who accept at once, one has it.
 * @param owner - who does it, by the name that tasks show
 */
export async function acceptTask(
  deps: Deps,
  tenantId: string,
  id: string,
  { owner, by }: { owner: string; by: string },
  guard: TaskGuard = unguarded,
): Promise<TaskChanged | null> {
  const accepted = await changeTask(
    deps,
    tenantId,
    id,
    by,
    'task.accept',
    (task) =>
      task.acceptedAt !== null && task.owner !== owner ? null : { owner, acceptedAt: task.acceptedAt ?? deps.clock.nowMs(), acceptedBy: by },
    guard,
  );
  // Reviewing a text must not hold its message.
  if (accepted?.kind !== 'changed' || accepted.task.kind === approvalKind) return accepted;
  const enrollmentId = accepted.task.enrollmentId ?? (await latestRunOf(deps, tenantId, accepted.task.subjectId));
  if (enrollmentId === null) return accepted;
  const held = await takeOverByHand(deps, { tenantId, enrollmentId, actor: by, does: 'take_over' });
  return held === 'busy' ? { kind: 'busy', task: accepted.task } : accepted;
}

/** The latest enrollment of the subject's person; null: none, so there is nothing to hold. */
async function latestRunOf(deps: Pick<Deps, 'db'>, tenantId: string, subjectId: string | null): Promise<string | null> {
  if (subjectId === null) return null;
  const [row] = await deps.db.withTenant(tenantId, (tx) =>
    tx
      .select({ id: enrollments.id })
      .from(enrollments)
      .innerJoin(subjects, eq(subjects.contactId, enrollments.contactId))
      .where(eq(subjects.id, subjectId))
      .orderBy(desc(enrollments.id))
      .limit(1),
  );
  return row?.id ?? null;
}

/** Give a task to somebody else, who has yet to accept it; null: to anybody. */
export function reassignTask(
  deps: Deps,
  tenantId: string,
  id: string,
  { owner, by }: { owner: string | null; by: string },
  guard: TaskGuard = unguarded,
): Promise<TaskChanged | null> {
  return changeTask(deps, tenantId, id, by, 'task.reassign', () => ({ owner, acceptedAt: null, acceptedBy: null }), guard);
}

/** Put a task off: it is due then. */
export function snoozeTask(
  deps: Deps,
  tenantId: string,
  id: string,
  { untilMs, by }: { untilMs: number; by: string },
  guard: TaskGuard = unguarded,
): Promise<TaskChanged | null> {
  return changeTask(deps, tenantId, id, by, 'task.snooze', () => ({ snoozedUntil: untilMs, dueAt: untilMs }), guard);
}

/** @param change - what changes; null: it may not. @returns null where there is no such task */
function changeTask(
  deps: Pick<Deps, 'db'>,
  tenantId: string,
  id: string,
  by: string,
  action: string,
  change: (task: TaskRow) => Partial<TaskRow> | null,
  guard: TaskGuard,
): Promise<TaskChanged | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [task] = await tx.select().from(tasks).where(eq(tasks.id, id)).for('update');
    if (task === undefined) return null;
    if (!(await guard(tx, task))) return { kind: 'held_back', task };
    if (task.state !== 'open') return { kind: 'was_closed', task };
    const changes = change(task);
    if (changes === null) return { kind: 'accepted_by_other', task };
    const { owner, dueAt, acceptedAt, acceptedBy, snoozedUntil } = { ...task, ...changes };
    const [changed] = await tx.update(tasks).set({ owner, dueAt, acceptedAt, acceptedBy, snoozedUntil }).where(eq(tasks.id, id)).returning();
    await recordAudit(tx, { tenantId, actor: by, action, subject: id, data: { owner } });
    return { kind: 'changed', task: changed ?? task };
  });
}
