import { sql } from 'drizzle-orm';
import { boolean, foreignKey, index, jsonb, pgTable, primaryKey, text, unique, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import type { GateCheck } from '../../domain/gates/verdict.ts';
import type { Rehearsed } from '../../domain/versions/compare-shadow.ts';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { enrollments, sequences, sequenceVersions } from './sequences.ts';

/** A version that decides on what really happens and sends nothing (ADR 29). One at a time for each sequence. */
export const shadows = pgTable(
  'shadows',
  {
    tenantId: tenantId(),
    id: ownId(),
    sequenceId: uuid('sequence_id').notNull(),
    versionId: uuid('version_id').notNull(),
    /** The sequence beside whose enrollments it runs: its own, or one that the same trigger starts. */
    besideId: uuid('beside_id').notNull(),
    startedAt: instantNow('started_at'),
    startedBy: text('started_by').notNull(),
    endedAt: instant('ended_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('shadows_one_open').on(t.tenantId, t.sequenceId).where(sql`ended_at is null`),
    index('shadows_sequence').on(t.tenantId, t.sequenceId),
    index('shadows_version').on(t.tenantId, t.versionId),
    index('shadows_beside').on(t.tenantId, t.besideId),
    foreignKey({ columns: [t.tenantId, t.sequenceId], foreignColumns: [sequences.tenantId, sequences.id], name: 'shadows_sequence_fk' }),
    foreignKey({ columns: [t.tenantId, t.besideId], foreignColumns: [sequences.tenantId, sequences.id], name: 'shadows_beside_fk' }),
    foreignKey({ columns: [t.tenantId, t.versionId], foreignColumns: [sequenceVersions.tenantId, sequenceVersions.id], name: 'shadows_version_fk' }),
    tenantPolicy(),
  ],
);

/** What an enrollment would be in the shadowed version. */
export const shadowRuns = pgTable(
  'shadow_runs',
  {
    tenantId: tenantId(),
    id: ownId(),
    shadowId: uuid('shadow_id').notNull(),
    enrollmentId: uuid('enrollment_id').notNull(),
    anchorAt: instant('anchor_at').notNull(),
    activatedAt: instant('activated_at'),
    /** When it is asked next. */
    nextAt: instantNow('next_at'),
    /** The end of the real enrollment was taken into account. */
    followedEnd: boolean('followed_end').notNull().default(false),
    endedAt: instant('ended_at'),
    reason: text('reason'),
    /** What a rehearsal of it came to when it began. Null: it has not been asked yet. */
    rehearsed: jsonb('rehearsed').$type<Rehearsed>(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    unique('shadow_runs_once').on(t.tenantId, t.shadowId, t.enrollmentId),
    index('shadow_runs_due').on(t.tenantId, t.nextAt).where(sql`ended_at is null`),
    index('shadow_runs_enrollment').on(t.tenantId, t.enrollmentId),
    foreignKey({ columns: [t.tenantId, t.shadowId], foreignColumns: [shadows.tenantId, shadows.id], name: 'shadow_runs_shadow_fk' }),
    foreignKey({
      columns: [t.tenantId, t.enrollmentId],
      foreignColumns: [enrollments.tenantId, enrollments.id],
      name: 'shadow_runs_enrollment_fk',
    }),
    tenantPolicy(),
  ],
);

/** The transcript of a run: what would have been decided, with every gate. Its progress is derived from it. */
export const shadowDecisions = pgTable(
  'shadow_decisions',
  {
    tenantId: tenantId(),
    id: ownId(),
    runId: uuid('run_id').notNull(),
    stepId: text('step_id').notNull(),
    at: instant('at').notNull(),
    verdict: text('verdict', { enum: ['send', 'defer', 'hold', 'skip', 'stop'] }).notNull(),
    /** The channel of `send`. */
    reason: text('reason').notNull(),
    until: instant('until'),
    checks: jsonb('checks').$type<GateCheck[]>().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('shadow_decisions_run').on(t.tenantId, t.runId),
    foreignKey({ columns: [t.tenantId, t.runId], foreignColumns: [shadowRuns.tenantId, shadowRuns.id], name: 'shadow_decisions_run_fk' }),
    tenantPolicy(),
  ],
);
