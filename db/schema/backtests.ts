import { sql } from 'drizzle-orm';
import { check, doublePrecision, foreignKey, index, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import type { BacktestReport } from '../../domain/backtest/tally.ts';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { sequenceVersions } from './sequences.ts';
import { tenants } from './tenants.ts';

/** A sequence that was run over the store's own history, and what came of it. */
export const backtests = pgTable(
  'backtests',
  {
    tenantId: tenantId(),
    id: ownId(),
    slug: text('slug').notNull(),
    /** The published version that was run; null: it was a file. */
    versionId: uuid('version_id'),
    version: integer('version'),
    /** SHA-256 of what was run, as `sequence_versions.source_hash`. */
    sourceHash: text('source_hash').notNull(),
    days: integer('days').notNull(),
    state: text('state', { enum: ['running', 'done', 'failed'] })
      .notNull()
      .default('running'),
    /** 0 to 1. */
    progress: doublePrecision('progress').notNull().default(0),
    /** When the process that runs it last said so. */
    progressAt: instantNow('progress_at'),
    report: jsonb('report').$type<BacktestReport>(),
    error: text('error'),
    requestedBy: text('requested_by').notNull(),
    createdAt: instantNow('created_at'),
    endedAt: instant('ended_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    check('backtests_state', sql`state in ('running', 'done', 'failed')`),
    index('backtests_version').on(t.tenantId, t.versionId),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'backtests_tenant' }),
    foreignKey({
      columns: [t.tenantId, t.versionId],
      foreignColumns: [sequenceVersions.tenantId, sequenceVersions.id],
      name: 'backtests_version_fk',
    }),
    tenantPolicy(),
  ],
);
