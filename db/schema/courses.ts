import { sql } from 'drizzle-orm';
import { bigint, boolean, check, doublePrecision, foreignKey, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant, tenantId, tenantPolicy } from './columns.ts';
import { tenants } from './tenants.ts';

/** A column of `course_sums` that is not what it has by itself, by its name. */
export type CourseFigure = Record<string, string | number | boolean>;

const none = '00000000-0000-0000-0000-000000000000';
const place = (name: string) => text(name).notNull().default('');
const idOf = (name: string) => uuid(name).notNull().default(none);
const sumOf = (name: string) => bigint(name, { mode: 'number' }).notNull().default(0);

/**
 * Sums of what became of people in sequences, by UTC day and by month. `db/functions/figures_of_courses.sql` says which topics there are and what a column means in
 * each. Written by `fold_courses` alone. Source: docs/adr/0110-what-became-of-people-is-kept.md
 */
export const courseSums = pgTable(
  'course_sums',
  {
    tenantId: tenantId(),
    grain: text('grain', { enum: ['day', 'month'] }).notNull(),
    topic: text('topic').notNull(),
    sequenceId: idOf('sequence_id'),
    startsAt: instant('starts_at').notNull(),
    versionId: idOf('version_id'),
    campaignId: idOf('campaign_id'),
    subjectKind: place('subject_kind'),
    /** Where a lead came from, as its source says. */
    source: place('source'),
    imported: boolean('imported').notNull().default(false),
    stepId: place('step_id'),
    channel: place('channel'),
    /** Why something ended or was left out. */
    reason: place('reason'),
    /** A part of a day, or a length of time. */
    slot: integer('slot').notNull().default(0),
    currency: place('currency'),
    cases: sumOf('cases'),
    leads: sumOf('leads'),
    heldOut: sumOf('held_out'),
    stillOpen: sumOf('still_open'),
    completed: sumOf('completed'),
    converted: sumOf('converted'),
    dropped: sumOf('dropped'),
    executed: sumOf('executed'),
    failed: sumOf('failed'),
    delivered: sumOf('delivered'),
    opened: sumOf('opened'),
    machineOpened: sumOf('machine_opened'),
    clicked: sumOf('clicked'),
    replied: sumOf('replied'),
    answered: sumOf('answered'),
    /** Milliseconds, or minor units of the currency. */
    amount: sumOf('amount'),
    /** Of the amounts. */
    squares: doublePrecision('squares').notNull().default(0),
  },
  (t) => [
    primaryKey({
      columns: [
        ...([t.tenantId, t.grain, t.topic, t.sequenceId, t.startsAt, t.versionId, t.campaignId, t.subjectKind] as const),
        ...([t.source, t.imported, t.stepId, t.channel, t.reason, t.slot, t.currency] as const),
      ],
      name: 'course_sums_pk',
    }),
    check('course_sums_grain', sql`grain in ('day', 'month')`),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'course_sums_tenant' }),
    tenantPolicy(),
  ],
);

/** What one subject is in the sums with, so that it can be taken out of them. Written by `fold_courses` alone. */
export const courseFigures = pgTable(
  'course_figures',
  { tenantId: tenantId(), subjectId: uuid('subject_id').notNull(), figures: jsonb('figures').$type<CourseFigure[]>().notNull() },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.subjectId] }),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'course_figures_tenant' }),
    tenantPolicy(),
  ],
);

/**
 * Subjects and people whose figures have to be computed anew: those that are named, or, where all ids are null, all of the store. Written by triggers alone, a row for each
 * change, so that no writer waits for another. Source: docs/adr/0123-arms-are-kept-by-person.md
 */
export const courseMarks = pgTable(
  'course_marks',
  {
    tenantId: tenantId(),
    seq: bigint('seq', { mode: 'number' }).generatedAlwaysAsIdentity().notNull(),
    subjectId: uuid('subject_id'),
    enrollmentId: uuid('enrollment_id'),
    messageId: uuid('message_id'),
    /** Whose person is in the arms of something. */
    contactId: uuid('contact_id'),
    /** A subject whose behaviour says whether its person stayed. */
    accountId: uuid('account_id'),
    /** A sequence or a test: everybody who was assigned in it. */
    scopeId: uuid('scope_id'),
    /** Of a scope: contacts up to this id are done. */
    doneTo: uuid('done_to'),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.seq] }), tenantPolicy()],
);
