import { sql } from 'drizzle-orm';
import { boolean, check, foreignKey, index, integer, jsonb, pgTable, primaryKey, smallint, text, unique, uuid } from 'drizzle-orm/pg-core';
import type { GateCheck } from '../../domain/gates/verdict.ts';
import type { MessagePayload } from '../../domain/channels/index.ts';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { contacts } from './people.ts';
import { enrollments } from './sequences.ts';

/**
 * The send ledger: one row per send key (`enrollment : step`), the fence of docs/fence.md. Depends on nothing that Temporal may
 * lose or reset. `sent` and `skipped` are final; `unknown` counts as sent and is never resent blindly.
 */
export const messages = pgTable(
  'messages',
  {
    tenantId: tenantId(),
    id: ownId(),
    enrollmentId: uuid('enrollment_id').notNull(),
    stepId: text('step_id').notNull(),
    /** Never re-pointed, also after a merge. */
    contactId: uuid('contact_id').notNull(),
    state: text('state', { enum: ['claimed', 'sent', 'failed', 'unknown', 'skipped'] }).notNull(),
    /** Random id of the latest claim; settling is fenced by it. */
    claim: uuid('claim'),
    claimedAt: instant('claimed_at'),
    /** That claim's call may be running. */
    live: boolean('live').notNull().default(false),
    leaseMs: integer('lease_ms').notNull().default(3_000),
    deadLeaseMs: integer('dead_lease_ms').notNull().default(10_000),
    /** A call before the latest one may have been accepted. */
    inDoubt: boolean('in_doubt').notNull().default(false),
    doubtSince: instant('doubt_since'),
    /** The pinned call: what a replay would send, byte for byte. */
    connectionId: uuid('connection_id'),
    /** The provider's account of that call: a replay or a look-up goes through this account or not at all. */
    account: text('account'),
    channel: text('channel'),
    payload: jsonb('payload').$type<MessagePayload>(),
    /** Which of the step's variants it is, or of its campaign's test; null: nothing is compared. */
    variant: text('variant'),
    /** The test of its campaign whose arm `variant` is; null: it is the step's, or there is none. */
    experimentId: uuid('experiment_id'),
    /** In which its text was written, chosen from those that the version has: BCP 47; null: it has no text, or was made before this was stored. */
    language: text('language'),
    /** The script that its text is of; null: the step's own. It may be gone by now. */
    scriptId: uuid('script_id'),
    refusals: integer('refusals').notNull().default(0),
    failures: integer('failures').notNull().default(0),
    /** The latest refusal was for good: the next decision suppresses the address. */
    refusedForGood: boolean('refused_for_good').notNull().default(false),
    /** When an unknown outcome may be asked about; null: it cannot be. */
    findFrom: instant('find_from'),
    response: text('response'),
    providerMessageId: text('provider_message_id'),
    skipReason: text('skip_reason'),
    dueAt: instant('due_at'),
    /** The hour of the local week at which it was claimed, on its person's likeliest clock: the day (0: Monday) times 24, and the hour; null: not known. */
    localSlot: smallint('local_slot'),
    /** By whose wish its hour was chosen; null: it waited for none. */
    hourBy: text('hour_by'),
    settledAt: instant('settled_at'),
    openedAt: instant('opened_at'),
    clickedAt: instant('clicked_at'),
    /** The latest open and click that may have been a scanner's: they count once a sign of life follows. */
    suspectedOpenAt: instant('suspected_open_at'),
    suspectedClickAt: instant('suspected_click_at'),
    createdAt: instantNow('created_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    check('messages_state', sql`state in ('claimed', 'sent', 'failed', 'unknown', 'skipped')`),
    check('messages_live_has_claim', sql`not live or (claim is not null and claimed_at is not null)`),
    unique('messages_send_key').on(t.tenantId, t.enrollmentId, t.stepId),
    index('messages_live').on(t.tenantId, t.contactId).where(sql`live`),
    index('messages_leases').on(t.claimedAt).where(sql`live`),
    index('messages_unknown').on(t.tenantId, t.id).where(sql`state = 'unknown'`),
    index('messages_in_doubt').on(t.findFrom).where(sql`state = 'unknown' and find_from is not null`),
    index('messages_provider').on(t.tenantId, t.account, t.providerMessageId).where(sql`provider_message_id is not null`),
    index('messages_experiment').on(t.tenantId, t.experimentId).where(sql`experiment_id is not null`),
    // Of lists of what is not usual: what is usual is in none of these, so that a message that is sent by email pays for none. docs/adr/0096-lists-of-exceptions.md
    index('messages_apart').on(t.tenantId, t.state, t.id).where(sql`state in ('failed', 'skipped')`),
    index('messages_channel').on(t.tenantId, t.channel, t.id).where(sql`channel <> 'email'`),
    index('messages_contact').on(t.tenantId, t.contactId, t.settledAt),
    foreignKey({ columns: [t.tenantId, t.enrollmentId], foreignColumns: [enrollments.tenantId, enrollments.id], name: 'messages_enrollment_fk' }),
    foreignKey({ columns: [t.tenantId, t.contactId], foreignColumns: [contacts.tenantId, contacts.id], name: 'messages_contact_fk' }),
    tenantPolicy(),
  ],
);

/** What the dispatch of a step decided and why (G4). Append-only, no personal data. */
export const decisions = pgTable(
  'decisions',
  {
    tenantId: tenantId(),
    id: ownId(),
    enrollmentId: uuid('enrollment_id').notNull(),
    stepId: text('step_id').notNull(),
    versionId: uuid('version_id').notNull(),
    at: instantNow('at'),
    verdict: text('verdict', { enum: ['send', 'defer', 'hold', 'skip', 'stop'] }).notNull(),
    /** Skip, stop, hold or defer reason; the channel of a send. */
    reason: text('reason').notNull(),
    until: instant('until'),
    checks: jsonb('checks').$type<GateCheck[]>().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('decisions_story').on(t.tenantId, t.enrollmentId, t.at),
    index('decisions_apart').on(t.tenantId, t.verdict, t.id).where(sql`verdict <> 'send'`),
    index('decisions_why').on(t.tenantId, t.reason, t.id).where(sql`reason <> 'email'`),
    index('decisions_step').on(t.tenantId, t.stepId, t.id),
    foreignKey({ columns: [t.tenantId, t.enrollmentId], foreignColumns: [enrollments.tenantId, enrollments.id], name: 'decisions_enrollment_fk' }),
    tenantPolicy(),
  ],
);
