import { and, eq } from 'drizzle-orm';
import { notificationView } from '../../content/notifications/view.ts';
import type { Tx } from '../../db/client.ts';
import { notifications, notificationTargets, notificationUses, tenants } from '../../db/schema/index.ts';
import { causeOf } from '../../domain/notifications/cause.ts';
import { type LinkFacts, type LinkState, linkState, type TaskAction } from '../../domain/notifications/links.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import type { Deps } from '../deps.ts';
import { tasks } from '../../db/schema/index.ts';
import { acceptTask, closeTask, reassignTask, snoozeTask, type TaskGuard, type TaskRow } from '../tasks.ts';
import { factsOf, linksOf } from './compose.ts';

export { type TaskAction, taskActions } from '../../domain/notifications/links.ts';

/** What the page behind a link shows. */
export interface TaskPage {
  storeName: string;
  brandColor: string;
  timeZone: string;
  title: string;
  person: string | null;
  due: string;
  recommendation: string | null;
  /** Whose tasks it was sent about; null: anybody's, so that whoever uses it says who they are. */
  owner: string | null;
  /** To whom it can be given. */
  owners: string[];
  links: Record<TaskAction | 'task', string>;
  /** Of each action. */
  states: Record<TaskAction, LinkState>;
}

interface Found {
  row: typeof notifications.$inferSelect;
  owner: string | null;
  task: TaskRow;
}

async function find(tx: Tx, notificationId: string): Promise<Found | null> {
  const [found] = await tx
    .select({ row: notifications, owner: notificationTargets.owner, task: tasks })
    .from(notifications)
    .innerJoin(notificationTargets, and(eq(notificationTargets.tenantId, notifications.tenantId), eq(notificationTargets.id, notifications.targetId)))
    .innerJoin(tasks, and(eq(tasks.tenantId, notifications.tenantId), eq(tasks.id, notifications.taskId)))
    .where(eq(notifications.id, notificationId));
  return found ?? null;
}

async function usedIn(tx: Tx, notificationId: string): Promise<Map<TaskAction, { atMs: number; by: string }>> {
  const rows = await tx.select().from(notificationUses).where(eq(notificationUses.notificationId, notificationId));
  return new Map(rows.map(({ action, usedAt, usedBy }) => [action, { atMs: usedAt, by: usedBy }]));
}

const factsFor = ({ row, owner }: Omit<Found, 'task'>, task: TaskRow, used: LinkFacts['used']): LinkFacts => ({
  madeAtMs: row.createdAt,
  used,
  owner,
  task: { state: task.state, owner: task.owner, closedAtMs: task.closedAt, closedBy: task.closedBy },
});

/** What a link leads to. Changes nothing: programs that look at emails open links. @returns null: what it was about is gone */
export async function readTaskPage(
  deps: Deps,
  { tenantId, messageId: notificationId }: { tenantId: string; messageId: string },
): Promise<TaskPage | null> {
  const found = await deps.db.withTenant(tenantId, async (tx) => {
    const one = await find(tx, notificationId);
    if (one === null) return null;
    const [tenant] = await tx.select({ settings: tenants.settings }).from(tenants).where(eq(tenants.id, tenantId));
    return { ...one, used: await usedIn(tx, notificationId), settings: settingsOf(tenant ?? { settings: {} }) };
  });
  if (found === null) return null;
  const { row, owner, task, used, settings } = found;
  const view = notificationView(await factsOf(deps, task, settings, causeOf(row)));
  const nowMs = deps.clock.nowMs();
  const state = (action: TaskAction) => linkState(factsFor({ row, owner }, task, used.get(action) ?? null), null, nowMs);
  return {
    ...{ storeName: settings.storeName, brandColor: settings.brandColor, timeZone: settings.timeZone },
    ...{ title: view.task.title, person: view.person.name, due: view.task.due, recommendation: view.task.recommendation },
    owner,
    owners: settings.workTargets.map(({ name }) => name),
    links: linksOf(deps, tenantId, notificationId),
    states: { accept: state('accept'), reassign: state('reassign'), snooze: state('snooze'), resolve: state('resolve') },
  };
}

/** What is to be done, as the form of the page says it. */
export type LinkWish =
  | { action: 'accept' }
  /** null: anybody. */
  | { action: 'reassign'; to: string | null }
  | { action: 'snooze'; hours: number }
  | { action: 'resolve'; state: 'done' | 'dismissed'; result: string | null };

export type LinkUsed =
  | { kind: 'done' }
  /** Done, but a message to the person was just being sent: what follows it is held as soon as that is over, where somebody accepts once more. */
  | { kind: 'done_not_held' }
  | Exclude<LinkState, { kind: 'usable' }>
  | { kind: 'unknown' };

const holdAttempts = 5;
const holdAgainMs = 400;

/**
 * Use a link. Under the lock of its task, so that of any number of uses at the same moment one acts, and none that somebody else's change has made void.
 * @param by - who uses it, as tasks name their owner; the notification's own owner goes before
 */
export async function useTaskLink(
  deps: Deps,
  { tenantId, messageId: notificationId }: { tenantId: string; messageId: string },
  wish: LinkWish,
  by: string,
): Promise<LinkUsed> {
  const found = await deps.db.withTenant(tenantId, (tx) => find(tx, notificationId));
  if (found === null) return { kind: 'unknown' };
  const { row, owner } = found;
  const [who, actor] = [owner ?? by, `notification:${notificationId}`];
  let state: LinkState = { kind: 'usable' };
  const guard: TaskGuard = async (tx, task) => {
    const used = (await usedIn(tx, notificationId)).get(wish.action) ?? null;
    state = linkState(factsFor({ row, owner }, task, used), who, deps.clock.nowMs());
    if (state.kind !== 'usable') return false;
    await deps.checkpoints('notification.link_claimed');
    await tx.insert(notificationUses).values({ tenantId, notificationId, action: wish.action, usedBy: who });
    return true;
  };
  const done = await act(deps, { tenantId, id: row.taskId, who, actor }, wish, guard);
  if (done === null) return { kind: 'unknown' };
  if (state.kind !== 'usable') return state;
  return done === 'not_held' ? { kind: 'done_not_held' } : { kind: 'done' };
}

async function act(
  deps: Deps,
  { tenantId, id, who, actor }: { tenantId: string; id: string; who: string; actor: string },
  wish: LinkWish,
  guard: TaskGuard,
): Promise<'done' | 'not_held' | null> {
  switch (wish.action) {
    case 'accept': {
      let accepted = await acceptTask(deps, tenantId, id, { owner: who, by: actor }, guard);
      // The task is theirs already, and the link is used up: only the person is still to be held.
      for (let attempt = 1; accepted?.kind === 'busy' && attempt < holdAttempts; attempt++) {
        await new Promise((done) => setTimeout(done, holdAgainMs));
        accepted = await acceptTask(deps, tenantId, id, { owner: who, by: actor });
      }
      return accepted === null ? null : accepted.kind === 'busy' ? 'not_held' : 'done';
    }
    case 'reassign':
      return (await reassignTask(deps, tenantId, id, { owner: wish.to, by: actor }, guard)) === null ? null : 'done';
    case 'snooze': {
      const untilMs = deps.clock.nowMs() + wish.hours * 3_600_000;
      return (await snoozeTask(deps, tenantId, id, { untilMs, by: actor }, guard)) === null ? null : 'done';
    }
    case 'resolve':
      return (await closeTask(deps, tenantId, id, { state: wish.state, result: wish.result, by: actor }, guard)) === null ? null : 'done';
  }
}
