import { sql } from 'drizzle-orm';
import { check, index, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';

/** Which enrollments a list shows, as it was understood when it was asked: ids, nothing of a person. null: it is not narrowed down by that. */
export interface EnrollmentFilter {
  status: 'ACTIVE' | 'PAUSED' | 'COMPLETED' | 'CONVERTED' | 'EXITED' | null;
  sequenceId: string | null;
  campaignId: string | null;
  /** Epoch milliseconds: taken in at that time or later, before that time. */
  enrolledFromMs: number | null;
  enrolledUntilMs: number | null;
  /** Each must be fulfilled, by any of its ids. */
  anyOf: { contactIds: string[]; subjectIds: string[]; enrollmentIds: string[] }[];
}

/** The same done to every enrollment that a list shows. The worker goes on at `cursor`. */
export const bulkActions = pgTable(
  'bulk_actions',
  {
    tenantId: tenantId(),
    id: ownId(),
    action: text('action', { enum: ['stop', 'pause', 'resume', 'move'] }).notNull(),
    filter: jsonb('filter').$type<EnrollmentFilter>().notNull(),
    /** Of a move: to which version and step. */
    target: jsonb('target').$type<{ version: number | null; step: string | null }>(),
    note: text('note'),
    state: text('state', { enum: ['running', 'cancelled', 'done'] })
      .notNull()
      .default('running'),
    /** How many running enrollments the filter found when it began. */
    matched: integer('matched').notNull(),
    examined: integer('examined').notNull().default(0),
    changed: integer('changed').notNull().default(0),
    /** It was so already. */
    unchanged: integer('unchanged').notNull().default(0),
    /** How many were refused, by reason. */
    refused: jsonb('refused').$type<Record<string, number>>().notNull().default({}),
    /** The last enrollment that it was done to; null: none. */
    cursor: uuid('cursor'),
    /** Until when a worker is at it. */
    claimedUntil: instantNow('claimed_until'),
    requestedBy: text('requested_by').notNull(),
    createdAt: instantNow('created_at'),
    endedAt: instant('ended_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    check('bulk_actions_action', sql`action in ('stop', 'pause', 'resume', 'move')`),
    check('bulk_actions_state', sql`state in ('running', 'cancelled', 'done')`),
    check('bulk_actions_target', sql`(action = 'move') = (target is not null)`),
    index('bulk_actions_running').on(t.tenantId).where(sql`state = 'running'`),
    tenantPolicy(),
  ],
);
