import { sql } from 'drizzle-orm';
import { check, foreignKey, index, integer, jsonb, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core';
import type { Leftover, Searched } from '../../domain/privacy/receipt.ts';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { contacts } from './people.ts';

/**
 * The erasure of a person, and its receipt once it is done: counts by table, never an address, a number or a name. A person is erased once; a repeat
 * finds this row.
 */
export const erasures = pgTable(
  'erasures',
  {
    tenantId: tenantId(),
    id: ownId(),
    /** The contact that stood for the person when it was asked for. */
    contactId: uuid('contact_id').notNull(),
    /** `incomplete`: something of theirs was found afterwards, in the places of `found`. */
    state: text('state', { enum: ['running', 'done', 'incomplete'] })
      .notNull()
      .default('running'),
    /** `request`: by API or by command. `shop`: the shop passed on what its customer asked for. */
    origin: text('origin', { enum: ['request', 'shop'] }).notNull(),
    requestedBy: text('requested_by').notNull(),
    requestedAt: instantNow('requested_at'),
    /** Their addresses, keys and names, sealed: what is searched for afterwards. Null once the search has found nothing. */
    sealedTraces: text('sealed_traces'),
    /** How many rows were deleted or emptied, by table. */
    erased: jsonb('erased').$type<Record<string, number>>().notNull().default({}),
    /** How many rows without personal data stay, by table (`domain/privacy/receipt.ts` says why). */
    kept: jsonb('kept').$type<Record<string, number>>().notNull().default({}),
    /** How much was searched; null: the search has not been made. */
    searched: jsonb('searched').$type<Searched>(),
    found: jsonb('found').$type<Leftover[]>().notNull().default([]),
    /** Workflow histories that were deleted. */
    histories: integer('histories').notNull().default(0),
    /** What it waits for; null: nothing. */
    waitsFor: text('waits_for', { enum: ['call', 'delivery', 'import', 'workflow'] }),
    stoppedAt: instant('stopped_at'),
    erasedAt: instant('erased_at'),
    doneAt: instant('done_at'),
    /** When its workflow is started, or started again where it was lost. */
    nextStartAt: instantNow('next_start_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    check('erasures_state', sql`state in ('running', 'done', 'incomplete')`),
    unique('erasures_contact').on(t.tenantId, t.contactId),
    index('erasures_apart').on(t.tenantId, t.state, t.id).where(sql`state <> 'done'`),
    index('erasures_open').on(t.nextStartAt).where(sql`state = 'running'`),
    foreignKey({ columns: [t.tenantId, t.contactId], foreignColumns: [contacts.tenantId, contacts.id], name: 'erasures_contact_fk' }),
    tenantPolicy(),
  ],
);

/** Everything that is stored about a person, gathered for them. Sealed, and gone when it expires or they are erased. */
export const personExports = pgTable(
  'person_exports',
  {
    tenantId: tenantId(),
    id: ownId(),
    contactId: uuid('contact_id').notNull(),
    state: text('state', { enum: ['running', 'ready', 'expired'] })
      .notNull()
      .default('running'),
    origin: text('origin', { enum: ['request', 'shop'] }).notNull(),
    requestedBy: text('requested_by').notNull(),
    requestedAt: instantNow('requested_at'),
    /** JSON; null while it is running, and once it has expired. */
    sealedDocument: text('sealed_document'),
    /** How many rows it has, by table. */
    rows: jsonb('rows').$type<Record<string, number>>().notNull().default({}),
    readyAt: instant('ready_at'),
    expiresAt: instant('expires_at'),
    nextStartAt: instantNow('next_start_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    check('person_exports_state', sql`state in ('running', 'ready', 'expired')`),
    index('person_exports_contact').on(t.tenantId, t.contactId),
    index('person_exports_open').on(t.nextStartAt).where(sql`state <> 'expired'`),
    foreignKey({ columns: [t.tenantId, t.contactId], foreignColumns: [contacts.tenantId, contacts.id], name: 'person_exports_contact_fk' }),
    tenantPolicy(),
  ],
);
