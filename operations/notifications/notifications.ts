import { and, eq, inArray, sql } from 'drizzle-orm';
import { notifications, notificationTargets, notificationUses } from '../../db/schema/index.ts';
import type { NotificationChannel } from '../../domain/notifications/channels.ts';
import { causeOf, type NotificationCause } from '../../domain/notifications/cause.ts';
import type { TaskAction } from '../../domain/notifications/links.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted, readList } from '../read/page.ts';

export { notificationCauses } from '../../domain/notifications/cause.ts';

export const notificationStates = ['waiting', 'calling', 'sent', 'unknown', 'parked', 'dropped'] as const;
export type NotificationState = (typeof notificationStates)[number];

/** What became of telling somebody of a task. Times in epoch milliseconds. */
export interface NotificationEntry {
  id: string;
  taskId: string;
  targetId: string;
  owner: string | null;
  channel: NotificationChannel;
  cause: NotificationCause;
  /** Of an overdue task, from 1; null: it is none. */
  reminder: number | null;
  state: NotificationState;
  attempts: number;
  account: string | null;
  response: string | null;
  createdAtMs: number;
  /** When it is attempted next; null: it is not. */
  nextAtMs: number | null;
  settledAtMs: number | null;
  /** Links that were used. */
  uses: { action: TaskAction; by: string; atMs: number }[];
}

/** The latest first. */
export function listNotifications(
  { db }: Pick<Deps, 'db'>,
  tenantId: string,
  search: { task?: string | undefined; target?: string | undefined; state?: NotificationState | undefined },
  page: PageWanted,
): Promise<Page<NotificationEntry>> {
  return readList({ db }, tenantId, async (tx) => {
    const rows = await tx
      .select({ row: notifications, owner: notificationTargets.owner, channel: notificationTargets.channel })
      .from(notifications)
      .innerJoin(
        notificationTargets,
        and(eq(notificationTargets.tenantId, notifications.tenantId), eq(notificationTargets.id, notifications.targetId)),
      )
      .where(
        and(
          search.task === undefined ? undefined : eq(notifications.taskId, search.task),
          search.target === undefined ? undefined : eq(notifications.targetId, search.target),
          search.state === undefined ? undefined : eq(notifications.state, search.state),
          beyond(notifications.id, 'newest', page),
        ),
      )
      .orderBy(byAge(notifications.id, 'newest', page))
      .limit(page.limit + 1);
    const { items, next } = pageOf(rows, page.limit, ({ row }) => row.id);
    const ids = items.map(({ row }) => row.id);
    const uses = ids.length === 0 ? [] : await tx.select().from(notificationUses).where(inArray(notificationUses.notificationId, ids));
    return {
      next,
      items: items.map(({ row, owner, channel }) => ({
        ...{ id: row.id, taskId: row.taskId, targetId: row.targetId, owner, channel, cause: causeOf(row), reminder: row.reminder },
        ...{
          state: row.state,
          attempts: row.attempts,
          account: row.account,
          response: row.response,
          createdAtMs: row.createdAt,
          settledAtMs: row.settledAt,
        },
        nextAtMs: row.state === 'waiting' ? row.nextAt : null,
        uses: uses
          .filter(({ notificationId }) => notificationId === row.id)
          .map(({ action, usedBy, usedAt }) => ({ action, by: usedBy, atMs: usedAt }))
          .toSorted((a, b) => a.atMs - b.atMs),
      })),
    };
  });
}

export type Resumed = { kind: 'resumed' } | { kind: 'unknown' } | { kind: 'not_parked'; state: NotificationState };

/** Try a parked notification again at once. One that may have arrived is never sent again. */
export async function resumeNotification(deps: Pick<Deps, 'db' | 'kickRelay'>, tenantId: string, id: string, by: string): Promise<Resumed> {
  const done = await deps.db.withTenant(tenantId, async (tx): Promise<Resumed> => {
    const [row] = await tx.select().from(notifications).where(eq(notifications.id, id)).for('update');
    if (row === undefined) return { kind: 'unknown' };
    if (row.state !== 'parked') return { kind: 'not_parked', state: row.state };
    await tx
      .update(notifications)
      .set({ state: 'waiting', attempts: 0, nextAt: sql`clock_timestamp()`, settledAt: null })
      .where(eq(notifications.id, id));
    await recordAudit(tx, { tenantId, actor: by, action: 'notification.resume', subject: id });
    return { kind: 'resumed' };
  });
  if (done.kind === 'resumed') deps.kickRelay();
  return done;
}

/** Give a parked notification up. @returns false: it is not parked */
export function dropNotification({ db, clock }: Pick<Deps, 'db' | 'clock'>, tenantId: string, id: string, by: string): Promise<boolean> {
  return db.withTenant(tenantId, async (tx) => {
    const gone = await tx
      .update(notifications)
      .set({ state: 'dropped', settledAt: clock.nowMs() })
      .where(and(eq(notifications.id, id), eq(notifications.state, 'parked')))
      .returning({ id: notifications.id });
    if (gone.length === 0) return false;
    await recordAudit(tx, { tenantId, actor: by, action: 'notification.drop', subject: id });
    return true;
  });
}
