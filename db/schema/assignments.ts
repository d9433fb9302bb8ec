import { doublePrecision, foreignKey, index, jsonb, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core';
import { instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { contacts } from './people.ts';
import { sequences } from './sequences.ts';

/** The arm that a person got in a sequence with a holdout, stored before the first send and never changed. Of several of one person, the first counts. */
export const assignments = pgTable(
  'assignments',
  {
    tenantId: tenantId(),
    id: ownId(),
    sequenceId: uuid('sequence_id').notNull(),
    /** Never re-pointed, also after a merge. */
    contactId: uuid('contact_id').notNull(),
    arm: text('arm', { enum: ['treated', 'holdout'] }).notNull(),
    /** Of people who were held out when it was assigned, 0 to 0.5: what the counts of the arms are compared with. */
    share: doublePrecision('share').notNull(),
    assignedAt: instantNow('assigned_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    unique('assignments_once').on(t.tenantId, t.sequenceId, t.contactId),
    index('assignments_contact').on(t.tenantId, t.contactId),
    foreignKey({ columns: [t.tenantId, t.sequenceId], foreignColumns: [sequences.tenantId, sequences.id], name: 'assignments_sequence_fk' }),
    foreignKey({ columns: [t.tenantId, t.contactId], foreignColumns: [contacts.tenantId, contacts.id], name: 'assignments_contact_fk' }),
    tenantPolicy(),
  ],
);

/** The variant of a step that a person got, stored before the first send and never changed. Of several of one person, the first counts. */
export const variantAssignments = pgTable(
  'variant_assignments',
  {
    tenantId: tenantId(),
    id: ownId(),
    sequenceId: uuid('sequence_id').notNull(),
    stepId: text('step_id').notNull(),
    /** Never re-pointed, also after a merge. */
    contactId: uuid('contact_id').notNull(),
    variant: text('variant').notNull(),
    /** Of each variant when it was assigned: what the counts are compared with. */
    shares: jsonb('shares').$type<Record<string, number>>().notNull(),
    assignedAt: instantNow('assigned_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    unique('variant_assignments_once').on(t.tenantId, t.sequenceId, t.stepId, t.contactId),
    index('variant_assignments_contact').on(t.tenantId, t.contactId),
    foreignKey({ columns: [t.tenantId, t.sequenceId], foreignColumns: [sequences.tenantId, sequences.id], name: 'variant_assignments_sequence_fk' }),
    foreignKey({ columns: [t.tenantId, t.contactId], foreignColumns: [contacts.tenantId, contacts.id], name: 'variant_assignments_contact_fk' }),
    tenantPolicy(),
  ],
);
