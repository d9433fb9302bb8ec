import { foreignKey, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant, instantNow, tenantId, tenantPolicy } from './columns.ts';
import { enrollments } from './sequences.ts';

/**
 * Pop-ups that were put down for a page view, one for each send key: the provider's side of the channel `onsite`. What they say is pinned in the
 * ledger; here is what the page did with them. No personal data.
 */
export const popups = pgTable(
  'popups',
  {
    tenantId: tenantId(),
    enrollmentId: uuid('enrollment_id').notNull(),
    stepId: text('step_id').notNull(),
    /** SHA-256 of the message: a repeat of the same call is known by it. */
    digest: text('digest').notNull(),
    putDownAt: instantNow('put_down_at'),
    /** When a page was given it last; it may have been left before it was shown. */
    handedAt: instant('handed_at'),
    /** As the page reports. */
    shownAt: instant('shown_at'),
    closedAt: instant('closed_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.enrollmentId, t.stepId] }),
    foreignKey({ columns: [t.tenantId, t.enrollmentId], foreignColumns: [enrollments.tenantId, enrollments.id], name: 'popups_enrollment_fk' }),
    tenantPolicy(),
  ],
);
