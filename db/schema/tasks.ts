import { sql } from 'drizzle-orm';
import { boolean, check, foreignKey, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { tenants } from './tenants.ts';

/** Work for people: what a colleague has to do, and what came of it. */
export const tasks = pgTable(
  'tasks',
  {
    tenantId: tenantId(),
    id: ownId(),
    /** `hot_lead`, `consultation`, `interest`, `question` …: a part that has work for people names its own kinds. */
    kind: text('kind').notNull(),
    /** Of tasks with one key only one is open; null: it is one of its own. */
    key: text('key'),
    /** Whose it is; null: anybody's. */
    owner: text('owner'),
    state: text('state', { enum: ['open', 'done', 'dismissed'] })
      .notNull()
      .default('open'),
    dueAt: instantNow('due_at'),
    /** The lead that it is about; null: none. */
    subjectId: uuid('subject_id'),
    /** What to do it with. Personal data. */
    data: jsonb('data').$type<Record<string, unknown>>().notNull().default({}),
    result: text('result'),
    /** What to do; null: its kind says it. */
    recommendation: text('recommendation'),
    /** The step that it was made for, `enrollment:step`; null: for none. */
    sendKey: text('send_key'),
    /** The sequence that it was made for; null: none. */
    enrollmentId: uuid('enrollment_id'),
    /** It was not made, because there was one within the cooldown: it is here for the record. */
    suppressed: boolean('suppressed').notNull().default(false),
    acceptedAt: instant('accepted_at'),
    acceptedBy: text('accepted_by'),
    snoozedUntil: instant('snoozed_until'),
    /** When its present owner got it; null: when it was made. Set by the trigger `watch_overdue`, as the two below are set back by it. */
    givenAt: instant('given_at'),
    /** When something is done next about nobody doing it; null: nothing is. */
    overdueAt: instant('overdue_at'),
    /** How often its owner was reminded since it was due. */
    reminders: integer('reminders').notNull().default(0),
    /** Who had it and was late, the first of them first: it does not come back to them by itself. */
    late: jsonb('late').$type<string[]>().notNull().default([]),
    /** When a program has begun to do it; null: it has not. */
    claimedAt: instant('claimed_at'),
    createdAt: instantNow('created_at'),
    closedAt: instant('closed_at'),
    closedBy: text('closed_by'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    check('tasks_state', sql`state in ('open', 'done', 'dismissed')`),
    uniqueIndex('tasks_open_key').on(t.tenantId, t.key).where(sql`state = 'open'`),
    index('tasks_open').on(t.tenantId, t.kind).where(sql`state = 'open'`),
    uniqueIndex('tasks_send_key').on(t.tenantId, t.sendKey).where(sql`send_key is not null`),
    index('tasks_of_owner').on(t.tenantId, t.owner, t.id),
    index('tasks_kind').on(t.tenantId, t.kind, t.id),
    index('tasks_dismissed').on(t.tenantId, t.id).where(sql`state = 'dismissed'`),
    index('tasks_owner').on(t.tenantId, t.owner),
    index('tasks_due').on(t.tenantId, t.dueAt, t.id),
    index('tasks_overdue').on(t.tenantId, t.overdueAt).where(sql`state = 'open' and overdue_at is not null`),
    index('tasks_subject').on(t.tenantId, t.subjectId),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'tasks_tenant' }),
    tenantPolicy(),
  ],
);
