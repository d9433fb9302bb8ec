import { sql } from 'drizzle-orm';
import { bigint, check, foreignKey, index, integer, jsonb, numeric, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant, tenantId, tenantPolicy } from './columns.ts';
import { tenants } from './tenants.ts';

const place = () => ({
  /** `holdout`, `band` and `variant` of a sequence, `test` of a campaign’s test, `message` of either. */
  kind: text('kind').notNull(),
  /** The sequence or the test. */
  scopeId: uuid('scope_id').notNull(),
  /** The step that is compared, `*` for the whole sequence; empty: none. */
  stepId: text('step_id').notNull(),
  /** The arm. */
  variant: text('variant').notNull(),
  /** Of the arms, by which the person was assigned. */
  shares: jsonb('shares').$type<Record<string, number>>().notNull(),
});
const countOf = (name: string) => integer(name).notNull();
const sumOf = (name: string) => bigint(name, { mode: 'number' }).notNull();

/**
 * What each person who was assigned to an arm counts for, also so that it can be taken out of the sums. `db/functions/figures_of_arms.sql` says what a column means. Written by
 * `fold_courses` alone. Source: docs/adr/0123-arms-are-kept-by-person.md
 */
export const armFigures = pgTable(
  'arm_figures',
  {
    tenantId: tenantId(),
    personId: uuid('person_id').notNull(),
    ...place(),
    /** When the person was assigned. */
    assignedAt: instant('assigned_at').notNull(),
    people: countOf('people'),
    converted: countOf('converted'),
    optOuts: countOf('opt_outs'),
    complaints: countOf('complaints'),
    refunds: countOf('refunds'),
    sent: countOf('sent'),
    opened: countOf('opened'),
    clicked: countOf('clicked'),
    /** What they bought, by currency. */
    revenue: jsonb('revenue').$type<Record<string, number>>().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.personId, t.kind, t.scopeId, t.stepId, t.variant], name: 'arm_figures_pk' }),
    index('arm_figures_assigned').on(t.tenantId, t.kind, t.scopeId, t.stepId, t.assignedAt),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'arm_figures_tenant' }),
    tenantPolicy(),
  ],
);

/** Sums of `arm_figures` by the hour and the UTC day of the assignment: counts without a currency, amounts with one. Written by `fold_courses` alone. */
export const armSums = pgTable(
  'arm_sums',
  {
    tenantId: tenantId(),
    ...place(),
    grain: text('grain', { enum: ['hour', 'day'] }).notNull(),
    startsAt: instant('starts_at').notNull(),
    currency: text('currency').notNull(),
    people: sumOf('people'),
    converted: sumOf('converted'),
    optOuts: sumOf('opt_outs'),
    complaints: sumOf('complaints'),
    refunds: sumOf('refunds'),
    sent: sumOf('sent'),
    opened: sumOf('opened'),
    clicked: sumOf('clicked'),
    /** Minor units; of bands, as the behaviour states them. */
    amount: numeric('amount').notNull(),
    /** Of the amount of each person. */
    squares: numeric('squares').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.kind, t.scopeId, t.stepId, t.grain, t.startsAt, t.variant, t.shares, t.currency], name: 'arm_sums_pk' }),
    check('arm_sums_grain', sql`grain in ('hour', 'day')`),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'arm_sums_tenant' }),
    tenantPolicy(),
  ],
);
