import { and, eq } from 'drizzle-orm';
import { notifications, notificationTargets, tasks } from '../../db/schema/index.ts';
import { dropNotification, resumeNotification } from '../notifications/notifications.ts';
import type { ParkedDone, ParkedItem, ParkedKind, ParkedWish } from './kind.ts';
import { nowhere } from './kind.ts';
import type { Deps } from '../deps.ts';
import { beyond, byAge } from '../read/page.ts';

/** A notification of a task that could not go out: its owner may not know of it. */
export const notification: ParkedKind = {
  list: (deps, tenantId, { one, ...page }) =>
    deps.db.withTenant(tenantId, async (tx) => {
      const rows = await tx
        .select({
          row: notifications,
          channel: notificationTargets.channel,
          owner: notificationTargets.owner,
          kind: tasks.kind,
          enrollmentId: tasks.enrollmentId,
        })
        .from(notifications)
        .innerJoin(
          notificationTargets,
          and(eq(notificationTargets.tenantId, notifications.tenantId), eq(notificationTargets.id, notifications.targetId)),
        )
        .innerJoin(tasks, and(eq(tasks.tenantId, notifications.tenantId), eq(tasks.id, notifications.taskId)))
        .where(
          and(eq(notifications.state, 'parked'), beyond(notifications.id, 'oldest', page), one === undefined ? undefined : eq(notifications.id, one)),
        )
        .orderBy(byAge(notifications.id, 'oldest', page))
        .limit(page.limit);
      return rows.map(
        ({ row, channel, owner, kind, enrollmentId }): ParkedItem => ({
          id: row.id,
          kind: 'notification',
          cause: 'not_told',
          sinceMs: row.settledAt,
          sentence: `${owner ?? 'Nobody in particular'} was not told by ${channel} of a task (${kind}): ${row.response ?? 'no reason is known'}`,
          advice: `Put the account or the target right (rekindle notifications change ${row.targetId} --address …), then resume: it is sent at once. Skip and cancel give it up; the task (rekindle tasks) stays open.`,
          affected: { enrollments: 0, deliveries: 1 },
          actions: ['resume', 'skip', 'cancel'],
          about: { ...nowhere, enrollmentId },
          externalIds: [],
        }),
      );
    }),
  acts: {
    async resume(deps, { tenantId, id, actor }) {
      const resumed = await resumeNotification(deps, tenantId, id, actor);
      return resumed.kind === 'resumed' ? { kind: 'done' } : { kind: 'unknown' };
    },
    skip: giveUp,
    cancel: giveUp,
  },
};

async function giveUp(deps: Deps, { tenantId, id, actor }: ParkedWish): Promise<ParkedDone> {
  return (await dropNotification(deps, tenantId, id, actor)) ? { kind: 'done' } : { kind: 'unknown' };
}
