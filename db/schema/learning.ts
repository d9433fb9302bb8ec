import { sql } from 'drizzle-orm';
import { check, doublePrecision, foreignKey, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import type { DismissedEvidence } from '../../domain/learning/dismissal.ts';
import { instant, instantNow, tenantId, tenantPolicy } from './columns.ts';
import { sequences } from './sequences.ts';
import { tenants } from './tenants.ts';

/**
 * What messages of a channel came to by the hour of the local week, computed anew every night, and which hour of each day is preferred. The dispatch reads the
 * preferred ones where the setting `learnedHours` is on.
 */
export const conversionRules = pgTable(
  'conversion_rules',
  {
    tenantId: tenantId(),
    channel: text('channel').notNull(),
    /** 0 (Monday) to 6, on the clocks of the persons. */
    day: integer('day').notNull(),
    hour: integer('hour').notNull(),
    sends: integer('sends').notNull(),
    conversions: integer('conversions').notNull(),
    /** Drawn towards `expected`, the more the fewer sends there are. */
    rate: doublePrecision('rate').notNull(),
    /** What day and hour, each by itself, would make it. */
    expected: doublePrecision('expected').notNull(),
    /** How likely it is better than the mean of all. */
    chanceBetter: doublePrecision('chance_better').notNull(),
    /** When it became the preferred hour of its day; null: it is not. */
    preferredAt: instant('preferred_at'),
    refreshedAt: instant('refreshed_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.channel, t.day, t.hour] }),
    check('conversion_rules_slot', sql`day between 0 and 6 and hour between 0 and 23`),
    check('conversion_rules_counts', sql`conversions between 0 and sends`),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'conversion_rules_tenant' }),
    tenantPolicy(),
  ],
);

/** Suggestions that somebody does not want. One is made again once what it rests on has changed (docs/rules.md#rule-132). */
export const suggestionDismissals = pgTable(
  'suggestion_dismissals',
  {
    tenantId: tenantId(),
    sequenceId: uuid('sequence_id').notNull(),
    stepId: text('step_id').notNull(),
    kind: text('kind').notNull(),
    /** What it rested on at that moment. */
    evidence: jsonb('evidence').$type<DismissedEvidence>().notNull(),
    dismissedAt: instantNow('dismissed_at'),
    dismissedBy: text('dismissed_by').notNull(),
    reason: text('reason').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.sequenceId, t.stepId, t.kind] }),
    foreignKey({
      columns: [t.tenantId, t.sequenceId],
      foreignColumns: [sequences.tenantId, sequences.id],
      name: 'suggestion_dismissals_sequence_fk',
    }),
    tenantPolicy(),
  ],
);
