import { sql } from 'drizzle-orm';
import { check, foreignKey, index, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { notificationChannels } from '../../domain/notifications/channels.ts';
import { taskActions } from '../../domain/notifications/links.ts';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { tasks } from './tasks.ts';
import { tenants } from './tenants.ts';

/** Where the owners of tasks are notified. Source: docs/adr/0094-owners-are-told-at-most-once.md */
export const notificationTargets = pgTable(
  'notification_targets',
  {
    tenantId: tenantId(),
    id: ownId(),
    /** Whose tasks, as tasks name their owner; null: those that are anybody's. */
    owner: text('owner'),
    channel: text('channel', { enum: notificationChannels }).notNull(),
    /** Sealed JSON: `{ address }`, of a webhook with its `secret`. */
    sealedConfig: text('sealed_config').notNull(),
    /** Empty: every kind of task. */
    kinds: jsonb('kinds').$type<string[]>().notNull().default([]),
    createdAt: instantNow('created_at'),
    removedAt: instant('removed_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    check('notification_targets_channel', sql`channel in ('email', 'sms', 'telegram', 'slack', 'webhook')`),
    index('notification_targets_live').on(t.tenantId).where(sql`removed_at is null`),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'notification_targets_tenant' }),
    tenantPolicy(),
  ],
);

/** What a store's notifications say, where it is not the usual. */
export const notificationTemplates = pgTable(
  'notification_templates',
  {
    tenantId: tenantId(),
    /** Of the task; `*`: every kind that has no template of its own. */
    kind: text('kind').notNull(),
    channel: text('channel', { enum: notificationChannels }).notNull(),
    /** Liquid; null: the channel has none. */
    subject: text('subject'),
    /** Liquid. */
    body: text('body').notNull(),
    updatedAt: instantNow('updated_at'),
    /** The usual text is used again. */
    removedAt: instant('removed_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.kind, t.channel] }),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'notification_templates_tenant' }),
    tenantPolicy(),
  ],
);

/** One task for one target: written by a trigger in the transaction that opens the task or gives it to somebody. What it says is stored nowhere. */
export const notifications = pgTable(
  'notifications',
  {
    tenantId: tenantId(),
    id: ownId(),
    taskId: uuid('task_id').notNull(),
    targetId: uuid('target_id').notNull(),
    cause: text('cause', { enum: ['opened', 'assigned'] }).notNull(),
    /** Which reminder of an overdue task it is, from 1; null: none. Not a `cause`, whose values the build before knows all. */
    reminder: integer('reminder'),
    /** `calling`: it is being handed over. `unknown`: it may have arrived, and is never sent again. `parked`: somebody has to do something. `dropped`: nobody needs it any more. */
    state: text('state', { enum: ['waiting', 'calling', 'sent', 'unknown', 'parked', 'dropped'] })
      .notNull()
      .default('waiting'),
    /** Attempts that were certainly not taken, since it was created or resumed. */
    attempts: integer('attempts').notNull().default(0),
    /** Every attempt that was begun: names the one that may settle it. */
    claims: integer('claims').notNull().default(0),
    claimedAt: instant('claimed_at'),
    /** Not attempted before that; while it is handed over, when the call counts as lost. */
    nextAt: instantNow('next_at'),
    /** When the receiver is asked whether it has one that is `unknown`; null: it is not. */
    askAt: instant('ask_at'),
    /** The account that it was handed over to last. */
    account: text('account'),
    /** What came of the last attempt. No personal data. */
    response: text('response'),
    createdAt: instantNow('created_at'),
    settledAt: instant('settled_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    check('notifications_state', sql`state in ('waiting', 'calling', 'sent', 'unknown', 'parked', 'dropped')`),
    index('notifications_open').on(t.tenantId, t.nextAt).where(sql`state in ('waiting', 'calling')`),
    index('notifications_in_doubt').on(t.tenantId, t.askAt).where(sql`state = 'unknown' and ask_at is not null`),
    index('notifications_parked').on(t.tenantId, t.id).where(sql`state = 'parked'`),
    index('notifications_apart').on(t.tenantId, t.state, t.id).where(sql`state in ('unknown', 'dropped')`),
    index('notifications_settled').on(t.settledAt).where(sql`state in ('sent', 'unknown', 'dropped')`),
    index('notifications_task').on(t.tenantId, t.taskId),
    index('notifications_of_target').on(t.tenantId, t.targetId),
    foreignKey({ columns: [t.tenantId, t.taskId], foreignColumns: [tasks.tenantId, tasks.id], name: 'notifications_of_task' }),
    foreignKey({
      columns: [t.tenantId, t.targetId],
      foreignColumns: [notificationTargets.tenantId, notificationTargets.id],
      name: 'notifications_target',
    }),
    tenantPolicy(),
  ],
);

/** A link of a notification that was used: each is used once. */
export const notificationUses = pgTable(
  'notification_uses',
  {
    tenantId: tenantId(),
    notificationId: uuid('notification_id').notNull(),
    action: text('action', { enum: taskActions }).notNull(),
    usedAt: instantNow('used_at'),
    usedBy: text('used_by').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.notificationId, t.action] }),
    foreignKey({
      columns: [t.tenantId, t.notificationId],
      foreignColumns: [notifications.tenantId, notifications.id],
      name: 'notification_uses_of_notification',
    }),
    tenantPolicy(),
  ],
);
