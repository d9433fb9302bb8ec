import { sql } from 'drizzle-orm';
import { check, foreignKey, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { sequences } from './sequences.ts';

export const experimentStatuses = ['RUNNING', 'DECIDED', 'STOPPED'] as const;
export const takeovers = ['suggested', 'applied', 'dismissed'] as const;

/** What an experiment came to when it was decided. */
export interface Verdict {
  /** How likely differences this large are where there are none. */
  p: number;
  /** For information; null: there are more than two arms. */
  z: number | null;
  /** Those whose window was over. */
  arms: { id: string; people: number; converted: number }[];
}

/** Comparisons of arms that end by themselves. Their people are in `variant_assignments`. */
export const experiments = pgTable(
  'experiments',
  {
    tenantId: tenantId(),
    id: ownId(),
    sequenceId: uuid('sequence_id').notNull(),
    stepId: text('step_id').notNull(),
    /** Of each arm, by its id: people who were assigned by others are in another test. */
    shares: jsonb('shares').$type<Record<string, number>>().notNull(),
    /** `STOPPED`: its arms were changed or taken away before anything was certain. */
    status: text('status', { enum: experimentStatuses }).notNull().default('RUNNING'),
    /** When its first person was assigned. */
    startedAt: instantNow('started_at'),
    endedAt: instant('ended_at'),
    winner: text('winner'),
    verdict: jsonb('verdict').$type<Verdict>(),
    /** What became of the winner; null: there is none. */
    takeover: text('takeover', { enum: takeovers }),
    /** The version in which the winner took over. */
    version: integer('version'),
    resolvedAt: instant('resolved_at'),
    resolvedBy: text('resolved_by'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    check('experiments_decided', sql`(status = 'DECIDED') = (winner is not null and verdict is not null and takeover is not null)`),
    check('experiments_ended', sql`(status = 'RUNNING') = (ended_at is null)`),
    uniqueIndex('experiments_running').on(t.tenantId, t.sequenceId, t.stepId).where(sql`status = 'RUNNING'`),
    index('experiments_step').on(t.tenantId, t.sequenceId, t.stepId),
    foreignKey({ columns: [t.tenantId, t.sequenceId], foreignColumns: [sequences.tenantId, sequences.id], name: 'experiments_sequence_fk' }),
    tenantPolicy(),
  ],
);
