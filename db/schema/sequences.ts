import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  doublePrecision,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type { SequenceDefinition } from '../../domain/sequence/definition.ts';
import { type Snooze, stopReasons } from '../../domain/sequence/plan.ts';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { contacts } from './people.ts';
import { subjects } from './subjects.ts';
import { tenants } from './tenants.ts';

/** What an action on an enrollment did. */
export interface ActionResult {
  /** Whether anything was changed by it. */
  changed: boolean;
  /** The step that it was about; null: the whole enrollment. */
  step: string | null;
  /** Of a snooze: epoch milliseconds; null: it was none. */
  untilMs: number | null;
  /** Of `send_now`: how often had been decided about the step before. */
  decisions: number;
}

export const sequences = pgTable(
  'sequences',
  {
    tenantId: tenantId(),
    id: ownId(),
    slug: text('slug').notNull(),
    name: text('name').notNull(),
    status: text('status', { enum: ['DRAFT', 'ACTIVE', 'ARCHIVED'] })
      .notNull()
      .default('DRAFT'),
    paused: boolean('paused').notNull().default(false),
    /** The version that new enrollments get. */
    currentVersionId: uuid('current_version_id'),
    createdAt: instantNow('created_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    unique('sequences_slug').on(t.tenantId, t.slug),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'sequences_tenant' }),
    tenantPolicy(),
  ],
);

/** An immutable published copy of a sequence with its compiled texts; running enrollments stay on theirs (G7). */
export const sequenceVersions = pgTable(
  'sequence_versions',
  {
    tenantId: tenantId(),
    id: ownId(),
    sequenceId: uuid('sequence_id').notNull(),
    version: integer('version').notNull(),
    definition: jsonb('definition').$type<SequenceDefinition>().notNull(),
    /** Compiled texts by content name: emails under the bare name, as builds before other channels had texts read them, others with their suffix. */
    content: jsonb('content').$type<Record<string, unknown>>().notNull(),
    /** Texts as they were written, by the names of `content`. One that is missing is a file of the installation, or was published before they were kept. */
    copy: jsonb('copy').$type<Record<string, string>>(),
    /** SHA-256 over definition and content: an unchanged preset file makes no new version. */
    sourceHash: text('source_hash').notNull(),
    publishedAt: instantNow('published_at'),
    /** Who published it. Null: it came with the installation; a newer file of the same preset then becomes the next version by itself. */
    publishedBy: text('published_by'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    unique('sequence_versions_number').on(t.tenantId, t.sequenceId, t.version),
    foreignKey({ columns: [t.tenantId, t.sequenceId], foreignColumns: [sequences.tenantId, sequences.id], name: 'sequence_versions_sequence_fk' }),
    tenantPolicy(),
  ],
);

/** A contact in a sequence about a subject; exactly one workflow, whose id carries the enrollment's id. */
export const enrollments = pgTable(
  'enrollments',
  {
    tenantId: tenantId(),
    id: ownId(),
    sequenceId: uuid('sequence_id').notNull(),
    versionId: uuid('version_id').notNull(),
    contactId: uuid('contact_id').notNull(),
    subjectId: uuid('subject_id').notNull(),
    status: text('status', { enum: ['ACTIVE', 'PAUSED', 'COMPLETED', 'CONVERTED', 'EXITED'] })
      .notNull()
      .default('ACTIVE'),
    stopReason: text('stop_reason', { enum: stopReasons }),
    /** Free text of a manual stop. Never a reason: "purchased" typed by hand is not a recovery (rule 12). */
    stopNote: text('stop_note'),
    /** The kind of its subject. Null: not written since the column exists, which means a cart. */
    subjectKind: text('subject_kind'),
    /** The value by which lists and figures group it, one of its kind's `segments`. Null: as `subject_kind`; `sequence_type` has it then. */
    segment: text('segment'),
    /** What the subject was worth: at enrollment, and anew at the activation. Null: unknown, or as `subject_kind`; `cart_value_minor` has it then. */
    valueMinor: bigint('value_minor', { mode: 'number' }),
    // `sequence_type` and `cart_value_minor` are of builds before the three above; triggers keep both equal.
    sequenceType: text('sequence_type', { enum: ['first_time', 'returning', 'high_value', 'low_stock'] }).notNull(),
    cartValueMinor: bigint('cart_value_minor', { mode: 'number' }),
    currency: text('currency'),
    timeScale: doublePrecision('time_scale').notNull(),
    anchorAt: instant('anchor_at').notNull(),
    /** Set by the first dispatch: only activated enrollments count in lists, metrics and re-entry (rule 3). */
    activatedAt: instant('activated_at'),
    /** Step id → epoch milliseconds before which it is not dispatched again. */
    notBefore: jsonb('not_before').$type<Record<string, number>>().notNull().default({}),
    /** The latest of them; null: there is none, or it had passed before this was kept. Written by a trigger. */
    putOffUntil: instant('put_off_until'),
    /** In order of time: the person, or somebody of the store, asked for later. */
    snoozes: jsonb('snoozes').$type<Snooze[]>().notNull().default([]),
    /** Step id → epoch milliseconds: when somebody asked by hand for it to be due at once. */
    dueNow: jsonb('due_now').$type<Record<string, number>>().notNull().default({}),
    /**
     * Step id → epoch milliseconds: the moment under a rate that is reserved for it (rule 34), less what answers in chats had pushed by then
     * (`send_rates.pushed_ms`). What they have pushed since is added when it is read.
     */
    slots: jsonb('slots').$type<Record<string, number>>().notNull().default({}),
    held: text('held', { enum: ['paused', 'takeover'] }),
    /** The campaign that it began in; null: none. */
    campaignId: uuid('campaign_id'),
    enrolledAt: instantNow('enrolled_at'),
    endedAt: instant('ended_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    check('enrollments_status', sql`status in ('ACTIVE', 'PAUSED', 'COMPLETED', 'CONVERTED', 'EXITED')`),
    check('enrollments_end', sql`(status in ('ACTIVE', 'PAUSED')) = (ended_at is null)`),
    uniqueIndex('enrollments_one_open').on(t.tenantId, t.sequenceId, t.subjectId).where(sql`status in ('ACTIVE', 'PAUSED')`),
    index('enrollments_contact').on(t.tenantId, t.contactId),
    index('enrollments_open').on(t.tenantId, t.id).where(sql`ended_at is null`),
    index('enrollments_subject').on(t.tenantId, t.subjectId),
    index('enrollments_of_sequence').on(t.tenantId, t.sequenceId, t.id),
    index('enrollments_version').on(t.tenantId, t.versionId),
    index('enrollments_campaign').on(t.tenantId, t.campaignId).where(sql`campaign_id is not null`),
    index('enrollments_activated').on(t.tenantId, t.activatedAt),
    index('enrollments_put_off').on(t.tenantId, t.putOffUntil).where(sql`ended_at is null and put_off_until is not null`),
    index('enrollments_ended').on(t.tenantId, t.endedAt, t.id),
    index('enrollments_apart').on(t.tenantId, t.status, t.id).where(sql`status <> 'ACTIVE'`),
    index('enrollments_of_accounts').on(t.tenantId, t.versionId, t.id).where(sql`subject_kind = 'account'`),
    index('enrollments_of_sequence_apart').on(t.tenantId, t.sequenceId, t.status, t.id).where(sql`status <> 'ACTIVE'`),
    // The recoveries of carts, apart from what is about leads and accounts.
    index('enrollments_recovering')
      .on(t.tenantId, t.id)
      .where(sql`ended_at is null and activated_at is not null and (subject_kind is null or subject_kind = 'cart')`),
    index('enrollments_recovered')
      .on(t.tenantId, t.id)
      .where(sql`ended_at is not null and activated_at is not null and (subject_kind is null or subject_kind = 'cart')`),
    index('enrollments_why').on(t.tenantId, t.sequenceId, t.stopReason, t.id).where(sql`stop_reason is not null`),
    foreignKey({ columns: [t.tenantId, t.sequenceId], foreignColumns: [sequences.tenantId, sequences.id], name: 'enrollments_sequence_fk' }),
    foreignKey({
      columns: [t.tenantId, t.versionId],
      foreignColumns: [sequenceVersions.tenantId, sequenceVersions.id],
      name: 'enrollments_version_fk',
    }),
    foreignKey({ columns: [t.tenantId, t.contactId], foreignColumns: [contacts.tenantId, contacts.id], name: 'enrollments_contact_fk' }),
    foreignKey({ columns: [t.tenantId, t.subjectId], foreignColumns: [subjects.tenantId, subjects.id], name: 'enrollments_subject_fk' }),
    tenantPolicy(),
  ],
);

/** The story of an enrollment, one row per event, as `explain` and the live page show it. No personal data. */
export const enrollmentEvents = pgTable(
  'enrollment_events',
  {
    tenantId: tenantId(),
    id: ownId(),
    enrollmentId: uuid('enrollment_id').notNull(),
    type: text('type').notNull(),
    at: instantNow('at'),
    inboxId: uuid('inbox_id'),
    data: jsonb('data').$type<Record<string, unknown>>().notNull().default({}),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('enrollment_events_story').on(t.tenantId, t.enrollmentId, t.at),
    index('enrollment_events_of_recovery').on(t.tenantId, t.id).where(sql`type in ('abandoned', 'recovered', 'message.sent')`),
    foreignKey({
      columns: [t.tenantId, t.enrollmentId],
      foreignColumns: [enrollments.tenantId, enrollments.id],
      name: 'enrollment_events_enrollment_fk',
    }),
    tenantPolicy(),
  ],
);

/** Which enrollment a caller's `Idempotency-Key` made, so that a repeated request finds it instead of making another. */
export const enrollmentRequests = pgTable(
  'enrollment_requests',
  {
    tenantId: tenantId(),
    key: text('key').notNull(),
    /** What the key was used for: the same key with another request is a mistake of the caller's. */
    request: text('request').notNull(),
    enrollmentId: uuid('enrollment_id').notNull(),
    createdAt: instantNow('created_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.key] }),
    index('enrollment_requests_enrollment_id').on(t.tenantId, t.enrollmentId),
    foreignKey({
      columns: [t.tenantId, t.enrollmentId],
      foreignColumns: [enrollments.tenantId, enrollments.id],
      name: 'enrollment_requests_enrollment',
    }),
    tenantPolicy(),
  ],
);

/**
 * What people did to single enrollments, each once: written in the transaction that does it. A repeat of a request finds its row by its
 * `Idempotency-Key`, a retry by its id. `withdrawn`: its caller was told that it was not done, so whoever comes later with that id does nothing.
 */
export const enrollmentActions = pgTable(
  'enrollment_actions',
  {
    tenantId: tenantId(),
    id: text('id').notNull(),
    enrollmentId: uuid('enrollment_id').notNull(),
    action: text('action', { enum: ['pause', 'resume', 'skip', 'snooze', 'send_now', 'stop', 'move'] }).notNull(),
    state: text('state', { enum: ['done', 'withdrawn'] }).notNull(),
    /** The caller's `Idempotency-Key`; null: none was given. */
    key: text('key'),
    /** SHA-256 of what was asked for: the same key with another request is a mistake of the caller's. */
    request: text('request').notNull(),
    /** What it did. No personal data. */
    result: jsonb('result').$type<ActionResult>().notNull(),
    actor: text('actor').notNull(),
    at: instantNow('at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    unique('enrollment_actions_key').on(t.tenantId, t.key),
    index('enrollment_actions_enrollment').on(t.tenantId, t.enrollmentId),
    check('enrollment_actions_state', sql`state in ('done', 'withdrawn')`),
    check('enrollment_actions_action', sql`action in ('pause', 'resume', 'skip', 'snooze', 'send_now', 'stop', 'move')`),
    foreignKey({
      columns: [t.tenantId, t.enrollmentId],
      foreignColumns: [enrollments.tenantId, enrollments.id],
      name: 'enrollment_actions_enrollment_fk',
    }),
    tenantPolicy(),
  ],
);
