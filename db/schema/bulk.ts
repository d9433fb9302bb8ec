import { sql } from 'drizzle-orm';
import { check, foreignKey, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { backtests } from './backtests.ts';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { enrollments, sequences, sequenceVersions } from './sequences.ts';
import { subjects } from './subjects.ts';

/** Which subjects a bulk enrollment is about. Times in epoch milliseconds; null: whenever. */
export interface BulkFilter {
  /** Last active at that time or later. */
  activeFromMs: number | null;
  /** Last active before that time. */
  activeUntilMs: number | null;
}

/** Old subjects that are taken into a sequence, bit by bit. The worker goes on at `cursor`. */
export const bulkJobs = pgTable(
  'bulk_jobs',
  {
    tenantId: tenantId(),
    id: ownId(),
    sequenceId: uuid('sequence_id').notNull(),
    /** The version that was backtested: with another one in use the job does not go on. */
    versionId: uuid('version_id').notNull(),
    backtestId: uuid('backtest_id').notNull(),
    subjectKind: text('subject_kind').notNull(),
    filter: jsonb('filter').$type<BulkFilter>().notNull(),
    /** So many people at most in an hour, or a day. */
    people: integer('people').notNull(),
    per: text('per', { enum: ['hour', 'day'] }).notNull(),
    /** So many altogether; null: all. */
    most: integer('most'),
    state: text('state', { enum: ['running', 'paused', 'cancelled', 'done'] })
      .notNull()
      .default('running'),
    /** Why it has paused itself; null: it has not. */
    pausedBecause: text('paused_because'),
    /** The last subject that was looked at; null: none. */
    cursor: uuid('cursor'),
    /** How many there were to look at when it began, and how many were. */
    candidates: integer('candidates').notNull(),
    examined: integer('examined').notNull().default(0),
    enrolled: integer('enrolled').notNull().default(0),
    /** Nobody is taken in before that. */
    nextAt: instantNow('next_at'),
    requestedBy: text('requested_by').notNull(),
    createdAt: instantNow('created_at'),
    endedAt: instant('ended_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    check('bulk_jobs_state', sql`state in ('running', 'paused', 'cancelled', 'done')`),
    check('bulk_jobs_people', sql`people > 0`),
    // One of a sequence at a time.
    uniqueIndex('bulk_jobs_one_open').on(t.tenantId, t.sequenceId).where(sql`state in ('running', 'paused')`),
    index('bulk_jobs_running').on(t.tenantId).where(sql`state = 'running'`),
    index('bulk_jobs_sequence').on(t.tenantId, t.sequenceId),
    index('bulk_jobs_version').on(t.tenantId, t.versionId),
    index('bulk_jobs_backtest').on(t.tenantId, t.backtestId),
    foreignKey({ columns: [t.tenantId, t.sequenceId], foreignColumns: [sequences.tenantId, sequences.id], name: 'bulk_jobs_sequence_fk' }),
    foreignKey({
      columns: [t.tenantId, t.versionId],
      foreignColumns: [sequenceVersions.tenantId, sequenceVersions.id],
      name: 'bulk_jobs_version_fk',
    }),
    foreignKey({ columns: [t.tenantId, t.backtestId], foreignColumns: [backtests.tenantId, backtests.id], name: 'bulk_jobs_backtest_fk' }),
    tenantPolicy(),
  ],
);

/** What became of each subject that a bulk enrollment looked at. */
export const bulkMembers = pgTable(
  'bulk_members',
  {
    tenantId: tenantId(),
    jobId: uuid('job_id').notNull(),
    subjectId: uuid('subject_id').notNull(),
    /** Whose it was; null: nobody's. */
    personId: uuid('person_id'),
    /** null: it was not taken in, for this reason. */
    enrollmentId: uuid('enrollment_id'),
    reason: text('reason'),
    at: instantNow('at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.jobId, t.subjectId] }),
    check('bulk_members_outcome', sql`(enrollment_id is null) <> (reason is null)`),
    // Nobody is taken in twice by one job.
    uniqueIndex('bulk_members_once').on(t.tenantId, t.jobId, t.personId).where(sql`enrollment_id is not null`),
    index('bulk_members_subject').on(t.tenantId, t.subjectId),
    index('bulk_members_enrollment').on(t.tenantId, t.enrollmentId),
    foreignKey({ columns: [t.tenantId, t.jobId], foreignColumns: [bulkJobs.tenantId, bulkJobs.id], name: 'bulk_members_job_fk' }),
    foreignKey({ columns: [t.tenantId, t.subjectId], foreignColumns: [subjects.tenantId, subjects.id], name: 'bulk_members_subject_fk' }),
    foreignKey({ columns: [t.tenantId, t.enrollmentId], foreignColumns: [enrollments.tenantId, enrollments.id], name: 'bulk_members_enrollment_fk' }),
    tenantPolicy(),
  ],
);
