import { sql } from 'drizzle-orm';
import { check, index, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant, instantNow, tenantId, tenantPolicy } from './columns.ts';

/**
 * The POST requests that came with an `Idempotency-Key`, with what was answered. Without a foreign key to the tenants: requests with the
 * installation's key belong to none of them and stand under the nil UUID.
 */
export const keyedRequests = pgTable(
  'keyed_requests',
  {
    tenantId: tenantId(),
    /** Whose key it is, such as `api_key:<id>`: two callers may choose the same one. */
    caller: text('caller').notNull(),
    key: text('key').notNull(),
    /** SHA-256 of method, address and body: the same key with another request is a mistake of the caller's. */
    request: text('request').notNull(),
    /** Of the attempt that carries it out: only that one writes the answer. */
    run: uuid('run').notNull(),
    /** `free`: the attempt ended without having done anything, so that a repeat is carried out. */
    state: text('state', { enum: ['running', 'done', 'free'] }).notNull(),
    /** Until when the attempt is taken to be running. */
    leaseUntil: instant('lease_until').notNull(),
    status: integer('status'),
    headers: jsonb('headers').$type<Record<string, string>>(),
    /** The body, sealed: it may hold personal data, or a secret that is shown once. */
    sealedBody: text('sealed_body'),
    createdAt: instantNow('created_at'),
    keptUntil: instant('kept_until').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.caller, t.key] }),
    index('keyed_requests_kept').on(t.keptUntil),
    check('keyed_requests_state', sql`state in ('running', 'done', 'free')`),
    tenantPolicy(),
  ],
);

/** Who is editing what at this moment, so that comparing `If-Match` and writing are one step. */
export const editLeases = pgTable(
  'edit_leases',
  {
    tenantId: tenantId(),
    path: text('path').notNull(),
    run: uuid('run').notNull(),
    until: instant('until').notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.path] }), tenantPolicy()],
);

/** How many requests of a caller's minute its API processes have reserved. */
export const requestRates = pgTable(
  'request_rates',
  {
    tenantId: tenantId(),
    caller: text('caller').notNull(),
    /** Minutes since the epoch, by the clock of the database. */
    minute: integer('minute').notNull(),
    reserved: integer('reserved').notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.caller] }), tenantPolicy()],
);
