import { sql } from 'drizzle-orm';
import { bigint, boolean, check, date, foreignKey, index, integer, jsonb, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core';
import type { Guard, TemplateReason } from '../../domain/composition/outcome.ts';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { enrollments } from './sequences.ts';
import { tenants } from './tenants.ts';

/**
 * What a model wrote for a step, one row per send key. `calling`: a call may be running, or its worker died; that call is never repeated, because
 * it may have been paid. The dispatch reads the row and needs none of it.
 */
export const compositions = pgTable(
  'compositions',
  {
    tenantId: tenantId(),
    id: ownId(),
    enrollmentId: uuid('enrollment_id').notNull(),
    stepId: text('step_id').notNull(),
    state: text('state', { enum: ['calling', 'waiting', 'ready', 'failed'] }).notNull(),
    /** Whether a person has to approve the text, and what they decided; null: nobody has to. */
    approval: text('approval', { enum: ['pending', 'approved', 'rejected'] }),
    decidedBy: text('decided_by'),
    decidedAt: instant('decided_at'),
    /** Why it was rejected, as the person wrote it. */
    decisionNote: text('decision_note'),
    /** What the model wrote, where a person has changed it since; null: the text is the model's own. */
    unedited: jsonb('unedited').$type<{ subject: string; body: string; cta: string }>(),
    /** Why there is no text. */
    reason: text('reason').$type<TemplateReason>(),
    guard: text('guard').$type<Guard>(),
    /** For people: what was wrong with it. No personal data. */
    detail: text('detail'),
    channel: text('channel').notNull(),
    language: text('language').notNull(),
    /** Of the facts that it was written about: with others it is stale. */
    fingerprint: text('fingerprint').notNull(),
    subject: text('subject'),
    body: text('body'),
    cta: text('cta'),
    model: text('model').notNull(),
    /** Random id of the latest call; its answer is stored only while it is. */
    claim: uuid('claim'),
    claimedAt: instant('claimed_at'),
    calls: integer('calls').notNull().default(0),
    inputTokens: integer('input_tokens').notNull().default(0),
    outputTokens: integer('output_tokens').notNull().default(0),
    /** Millionths of the currency in which the provider is paid. */
    costMicros: bigint('cost_micros', { mode: 'number' }).notNull().default(0),
    dueAt: instant('due_at').notNull(),
    /** Its step is settled, or its sequence has ended. Written by triggers. */
    isOver: boolean('is_over').notNull().default(false),
    createdAt: instantNow('created_at'),
    settledAt: instant('settled_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    check('compositions_state', sql`state in ('calling', 'waiting', 'ready', 'failed')`),
    check('compositions_ready_has_words', sql`state <> 'ready' or body is not null`),
    unique('compositions_send_key').on(t.tenantId, t.enrollmentId, t.stepId),
    index('compositions_apart').on(t.tenantId, t.id).where(sql`state <> 'ready'`),
    index('compositions_decided').on(t.tenantId, t.approval, t.id).where(sql`approval in ('approved', 'rejected')`),
    foreignKey({
      columns: [t.tenantId, t.enrollmentId],
      foreignColumns: [enrollments.tenantId, enrollments.id],
      name: 'compositions_enrollment_fk',
    }),
    index('compositions_unasked').on(t.tenantId, t.isOver, t.id).where(sql`state = 'ready' and approval is null`),
    index('compositions_waiting').on(t.tenantId, t.id).where(sql`state = 'ready' and not is_over and (approval is null or approval = 'pending')`),
    index('compositions_asked').on(t.tenantId, t.isOver, t.id).where(sql`state = 'ready' and approval = 'pending'`),
    index('compositions_pending').on(t.tenantId, t.id).where(sql`approval = 'pending'`),
    tenantPolicy(),
  ],
);

/** What a tenant's models have cost on a day (UTC), calls that are running included at the most that they can cost. */
export const modelSpending = pgTable(
  'model_spending',
  {
    tenantId: tenantId(),
    day: date('day').notNull(),
    micros: bigint('micros', { mode: 'number' }).notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.day] }),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'model_spending_tenant' }),
    tenantPolicy(),
  ],
);
