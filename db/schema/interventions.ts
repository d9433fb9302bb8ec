import { bigint, date, foreignKey, index, jsonb, numeric, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant, tenantId, tenantPolicy } from './columns.ts';
import { tenants } from './tenants.ts';

/** A column of `intervention_sums` that is not 0, by its name. */
export type InterventionFigure = Record<string, string | number>;

const sumOf = (name: string) => bigint(name, { mode: 'number' }).notNull().default(0);
/** Millionths of the currency's unit. */
const microsOf = (name: string) => numeric(name).notNull().default('0');

/**
 * What one intervention is in the sums with, so that it can be taken out of them. Written by `put_interventions` alone.
 * Source: docs/adr/0126-what-interventions-count-for-is-kept.md
 */
export const interventionFigures = pgTable(
  'intervention_figures',
  {
    tenantId: tenantId(),
    enrollmentId: uuid('enrollment_id').notNull(),
    accountId: uuid('account_id').notNull(),
    beganAt: instant('began_at').notNull(),
    /** When it counts for something else though nothing happens: the end of the window of an action; null: never. */
    changesAt: instant('changes_at'),
    /** The settings by which it was judged, as a hash. */
    basis: text('basis').notNull(),
    /** From the beginning to the first action; null: none took place. */
    firstActionMs: bigint('first_action_ms', { mode: 'number' }),
    figures: jsonb('figures').$type<InterventionFigure[]>().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.enrollmentId], name: 'intervention_figures_pk' }),
    index('intervention_figures_account').on(t.tenantId, t.accountId),
    index('intervention_figures_began').on(t.tenantId, t.beganAt),
    index('intervention_figures_changes').on(t.tenantId, t.changesAt),
    index('intervention_figures_basis').on(t.tenantId, t.basis),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'intervention_figures_tenant' }),
    tenantPolicy(),
  ],
);

/**
 * Sums of `intervention_figures` by the UTC day on which the interventions began: counts without a currency, amounts with one. Written by `put_interventions` alone.
 * Source: docs/adr/0126-what-interventions-count-for-is-kept.md
 */
export const interventionSums = pgTable(
  'intervention_sums',
  {
    tenantId: tenantId(),
    day: date('day').notNull(),
    band: text('band').notNull(),
    /** Empty where interventions are counted, not actions. */
    channel: text('channel').notNull().default(''),
    currency: text('currency').notNull().default(''),
    begun: sumOf('begun'),
    heldOut: sumOf('held_out'),
    complete: sumOf('complete'),
    successes: sumOf('successes'),
    /** That took place, and what came of them. */
    actions: sumOf('actions'),
    pending: sumOf('pending'),
    delivered: sumOf('delivered'),
    engaged: sumOf('engaged'),
    converted: sumOf('converted'),
    failed: sumOf('failed'),
    ignored: sumOf('ignored'),
    escalated: sumOf('escalated'),
    /** Actions of which a part of the cost is not known. */
    unknownMessage: sumOf('unknown_message'),
    unknownPeople: sumOf('unknown_people'),
    unknownModel: sumOf('unknown_model'),
    cost: microsOf('cost'),
    expected: microsOf('expected'),
    attributed: microsOf('attributed'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.day, t.band, t.channel, t.currency], name: 'intervention_sums_pk' }),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'intervention_sums_tenant' }),
    tenantPolicy(),
  ],
);

/**
 * Accounts whose interventions have to be judged anew, or, without an account, a store whose settings for that changed. Written by `fold_courses` and a trigger on settings.
 * Source: docs/adr/0126-what-interventions-count-for-is-kept.md
 */
export const interventionMarks = pgTable(
  'intervention_marks',
  { tenantId: tenantId(), seq: bigint('seq', { mode: 'number' }).generatedAlwaysAsIdentity().notNull(), accountId: uuid('account_id') },
  (t) => [primaryKey({ columns: [t.tenantId, t.seq] }), tenantPolicy()],
);
