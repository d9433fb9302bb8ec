import { sql } from 'drizzle-orm';
import { bigint, boolean, check, customType, foreignKey, index, integer, jsonb, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { tenants } from './tenants.ts';

/** Of a transaction of Postgres, as decimal text: it is greater than a number of JavaScript. */
const transactionId = customType<{ data: string }>({ dataType: () => 'xid8' });

/** The addresses to which a store wants events sent. Source: docs/adr/0067-outgoing-webhooks.md */
export const webhookEndpoints = pgTable(
  'webhook_endpoints',
  {
    tenantId: tenantId(),
    id: ownId(),
    url: text('url').notNull(),
    description: text('description').notNull().default(''),
    /** Empty: every type. */
    eventTypes: jsonb('event_types').$type<string[]>().notNull().default([]),
    includePersonalData: boolean('include_personal_data').notNull().default(false),
    state: text('state', { enum: ['enabled', 'disabled'] })
      .notNull()
      .default('enabled'),
    /** null: it is enabled. `gone`: it answered 410. `failing`: it took nothing for days. */
    disabledReason: text('disabled_reason', { enum: ['by_hand', 'gone', 'failing'] }),
    disabledAt: instant('disabled_at'),
    /** Whether events are recorded for it. Not while it is disabled by hand; while it is disabled by its failures they wait. */
    listens: boolean('listens').notNull().default(true),
    /** Its first failure since it last took something; null: it has none. */
    failingSince: instant('failing_since'),
    /** Sealed, the newest first; the second counts until `old_secret_until`. */
    secrets: jsonb('secrets').$type<string[]>().notNull(),
    oldSecretUntil: instant('old_secret_until'),
    createdAt: instantNow('created_at'),
    removedAt: instant('removed_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    check('webhook_endpoints_state', sql`state in ('enabled', 'disabled')`),
    index('webhook_endpoints_listening').on(t.tenantId).where(sql`listens`),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'webhook_endpoints_tenant' }),
    tenantPolicy(),
  ],
);

/**
 * What is told to the endpoints, one row an event, written by triggers in the transaction that it is about. A row names what happened; a worker makes
 * its payload and its deliveries of it.
 */
export const webhookEvents = pgTable(
  'webhook_events',
  {
    tenantId: tenantId(),
    id: ownId(),
    seq: bigint('seq', { mode: 'number' }).generatedAlwaysAsIdentity().notNull(),
    /** Which table knows about it: operations/webhooks/sources.ts. */
    source: text('source').notNull(),
    refId: uuid('ref_id'),
    /** What no table knows: ids and types, no personal data. */
    data: jsonb('data').$type<Record<string, unknown>>(),
    at: instantNow('at'),
    /** Of the transaction that wrote it: whether a snapshot has seen it. Source: docs/adr/0087-live-events.md */
    txid: transactionId('txid').default(sql`pg_current_xact_id()`),
    /** Of the payload; null: it is not made yet, or no endpoint wants it. */
    type: text('type'),
    /** Without personal data. */
    payload: jsonb('payload').$type<Record<string, unknown>>(),
    contactId: uuid('contact_id'),
    expandedAt: instant('expanded_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('webhook_events_waiting').on(t.tenantId, t.seq).where(sql`expanded_at is null`),
    index('webhook_events_age').on(t.at),
    index('webhook_events_by_transaction').on(t.tenantId, t.txid, t.seq),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'webhook_events_tenant' }),
    tenantPolicy(),
  ],
);

/** Stores whose events somebody reads as they happen: they are recorded until then. Source: docs/adr/0087-live-events.md */
export const liveReaders = pgTable(
  'live_readers',
  {
    tenantId: tenantId(),
    /** Events are recorded without a gap since then. */
    since: instant('since').notNull(),
    until: instant('until').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId] }),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'live_readers_tenant' }),
    tenantPolicy(),
  ],
);

/** One event for one endpoint. */
export const webhookDeliveries = pgTable(
  'webhook_deliveries',
  {
    tenantId: tenantId(),
    id: ownId(),
    eventId: uuid('event_id').notNull(),
    endpointId: uuid('endpoint_id').notNull(),
    /** Of its event, by which the log is searched. Null: it was made before the column, and is gone after 30 days. */
    type: text('type'),
    /** `held`: its endpoint is disabled. `failed`: no attempt is left. */
    state: text('state', { enum: ['waiting', 'held', 'delivered', 'failed'] })
      .notNull()
      .default('waiting'),
    /** Of the schedule, since it was created or redelivered last. */
    attempts: integer('attempts').notNull().default(0),
    /** Of which nobody knows the outcome, since then: its worker ended. */
    lost: integer('lost').notNull().default(0),
    /** All attempts that were ever begun: names the one that may settle it. */
    claims: integer('claims').notNull().default(0),
    /** When the attempt that is under way was begun; null: none is. */
    claimedAt: instant('claimed_at'),
    /** Not attempted before that; during an attempt, not by another worker. */
    nextAt: instantNow('next_at'),
    lastStatus: integer('last_status'),
    lastError: text('last_error'),
    createdAt: instantNow('created_at'),
    settledAt: instant('settled_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    check('webhook_deliveries_state', sql`state in ('waiting', 'held', 'delivered', 'failed')`),
    unique('webhook_deliveries_event').on(t.tenantId, t.eventId, t.endpointId),
    index('webhook_deliveries_due').on(t.tenantId, t.endpointId, t.nextAt).where(sql`state = 'waiting'`),
    index('webhook_deliveries_apart').on(t.tenantId, t.endpointId, t.state, t.id).where(sql`state in ('held', 'failed')`),
    index('webhook_deliveries_of_endpoint').on(t.tenantId, t.endpointId, t.id),
    index('webhook_deliveries_of_type').on(t.tenantId, t.endpointId, t.type, t.id),
    foreignKey({
      columns: [t.tenantId, t.endpointId],
      foreignColumns: [webhookEndpoints.tenantId, webhookEndpoints.id],
      name: 'webhook_deliveries_endpoint',
    }),
    foreignKey({ columns: [t.tenantId, t.eventId], foreignColumns: [webhookEvents.tenantId, webhookEvents.id], name: 'webhook_deliveries_of_event' }),
    tenantPolicy(),
  ],
);

/** What came of each attempt. */
export const webhookAttempts = pgTable(
  'webhook_attempts',
  {
    tenantId: tenantId(),
    id: ownId(),
    deliveryId: uuid('delivery_id').notNull(),
    /** The delivery's `claims` when it was begun. */
    number: integer('number').notNull(),
    startedAt: instant('started_at').notNull(),
    durationMs: integer('duration_ms'),
    /** null: there was no answer. */
    status: integer('status'),
    /** Why there was none. */
    error: text('error'),
    /** How the answer begins; null: there was none, or the endpoint is sent personal data, which the answer may repeat. */
    answer: text('answer'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    unique('webhook_attempts_number').on(t.tenantId, t.deliveryId, t.number),
    foreignKey({
      columns: [t.tenantId, t.deliveryId],
      foreignColumns: [webhookDeliveries.tenantId, webhookDeliveries.id],
      name: 'webhook_attempts_delivery',
    }),
    tenantPolicy(),
  ],
);
