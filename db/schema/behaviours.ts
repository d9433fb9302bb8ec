import { sql } from 'drizzle-orm';
import { check, foreignKey, index, jsonb, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core';
import { behaviourKinds } from '../../domain/risk/behaviour.ts';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { subjects } from './subjects.ts';

/** What accounts did, and what happened to them: dated, and never changed. Personal data: it goes with the person. */
export const behaviours = pgTable(
  'behaviours',
  {
    tenantId: tenantId(),
    id: ownId(),
    subjectId: uuid('subject_id').notNull(),
    /** By which a repeat is known: its source's id, or what it is and when it was. */
    key: text('key').notNull(),
    kind: text('kind', { enum: behaviourKinds }).notNull(),
    /** What else is known of it, as its kind has it (`domain/risk/behaviour.ts`). */
    data: jsonb('data').notNull(),
    occurredAt: instant('occurred_at').notNull(),
    recordedAt: instantNow('recorded_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    unique('behaviours_once').on(t.tenantId, t.subjectId, t.key),
    index('behaviours_subject').on(t.tenantId, t.subjectId, t.occurredAt),
    check('behaviours_kind', sql`kind in ('visit', 'order', 'message', 'open', 'call', 'support', 'own')`),
    foreignKey({ columns: [t.tenantId, t.subjectId], foreignColumns: [subjects.tenantId, subjects.id], name: 'behaviours_subject_fk' }),
    tenantPolicy(),
  ],
);
