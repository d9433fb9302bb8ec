import { sql } from 'drizzle-orm';
import { bigint, check, foreignKey, index, integer, jsonb, pgTable, primaryKey, text, unique, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { campaigns } from './campaigns.ts';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { contacts } from './people.ts';
import { sequences } from './sequences.ts';

export const experimentStatuses = ['RUNNING', 'DECIDED', 'STOPPED'] as const;
export const experimentModes = ['test', 'bandit'] as const;
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

/**
 * Comparisons of arms that end by themselves: of a step's variants, whose people are in `variant_assignments`, or of a campaign's scripts on a channel, whose
 * people are in `experiment_assignments`.
 */
export const experiments = pgTable(
  'experiments',
  {
    tenantId: tenantId(),
    id: ownId(),
    /** Of a test of a step; null: it is a campaign's. */
    sequenceId: uuid('sequence_id'),
    stepId: text('step_id'),
    /** Of a test of a campaign's scripts; null: it is a step's. */
    campaignId: uuid('campaign_id'),
    channel: text('channel'),
    /** The script of each arm, by the arm's id; null: it is a step's test. */
    scripts: jsonb('scripts').$type<Record<string, string>>(),
    /** How long after the assignment a conversion counts, in milliseconds of real time; null: the goal of the step's sequence says it. */
    windowMs: bigint('window_ms', { mode: 'number' }),
    /** Of each arm, by its id: people who were assigned by others are in another test. Of a sequence, as its version has them. */
    shares: jsonb('shares').$type<Record<string, number>>().notNull(),
    /** Of a bandit of a sequence: by which people are drawn from now on; null: by `shares`. A campaign’s has them in `shares`. */
    drawnBy: jsonb('drawn_by').$type<Record<string, number>>(),
    /** `bandit`: its shares follow what each arm brings, nothing is judged, and it does not end by itself. */
    mode: text('mode', { enum: experimentModes }).notNull().default('test'),
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
    check(
      'experiments_of',
      sql`(sequence_id is null) = (step_id is null) and (campaign_id is null) = (sequence_id is not null)
        and (campaign_id is null) = (channel is null) and (campaign_id is null) = (scripts is null) and (campaign_id is null) = (window_ms is null)`,
    ),
    uniqueIndex('experiments_running').on(t.tenantId, t.sequenceId, t.stepId).where(sql`status = 'RUNNING'`),
    uniqueIndex('experiments_running_campaign').on(t.tenantId, t.campaignId, t.channel).where(sql`status = 'RUNNING'`),
    index('experiments_campaign').on(t.tenantId, t.campaignId),
    index('experiments_step').on(t.tenantId, t.sequenceId, t.stepId),
    foreignKey({ columns: [t.tenantId, t.sequenceId], foreignColumns: [sequences.tenantId, sequences.id], name: 'experiments_sequence_fk' }),
    foreignKey({ columns: [t.tenantId, t.campaignId], foreignColumns: [campaigns.tenantId, campaigns.id], name: 'experiments_campaign_fk' }),
    tenantPolicy(),
  ],
);

/** The arm that a person got in a test of a campaign, stored before the first send and never changed. Of several of one person, the first counts. */
export const experimentAssignments = pgTable(
  'experiment_assignments',
  {
    tenantId: tenantId(),
    id: ownId(),
    experimentId: uuid('experiment_id').notNull(),
    /** Never re-pointed, also after a merge. */
    contactId: uuid('contact_id').notNull(),
    variant: text('variant').notNull(),
    assignedAt: instantNow('assigned_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    unique('experiment_assignments_once').on(t.tenantId, t.experimentId, t.contactId),
    index('experiment_assignments_contact').on(t.tenantId, t.contactId),
    foreignKey({
      columns: [t.tenantId, t.experimentId],
      foreignColumns: [experiments.tenantId, experiments.id],
      name: 'experiment_assignments_experiment_fk',
    }),
    foreignKey({ columns: [t.tenantId, t.contactId], foreignColumns: [contacts.tenantId, contacts.id], name: 'experiment_assignments_contact_fk' }),
    tenantPolicy(),
  ],
);
