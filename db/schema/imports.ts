import { sql } from 'drizzle-orm';
import { bigint, boolean, check, customType, foreignKey, index, integer, jsonb, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core';
import { campaigns } from './campaigns.ts';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { tenants } from './tenants.ts';

const bytes = customType<{ data: Buffer }>({ dataType: () => 'bytea' });

/** How the file of an import is read: the delimiter, and what each of its columns holds; null: it is left out. */
export interface ImportFormat {
  delimiter: string;
  columns: (string | null)[];
}

/** A file of leads that is taken in row by row. The worker goes on behind `rows`. */
export const imports = pgTable(
  'imports',
  {
    tenantId: tenantId(),
    id: ownId(),
    state: text('state', { enum: ['receiving', 'running', 'done', 'cancelled'] })
      .notNull()
      .default('receiving'),
    /** The campaign that its leads go to; null: routing decides. */
    campaignId: uuid('campaign_id'),
    source: text('source').notNull(),
    /** Null until the whole file is here. */
    format: jsonb('format').$type<ImportFormat>(),
    /** Columns of the file that are left out, by name. */
    ignored: jsonb('ignored').$type<string[]>().notNull().default([]),
    bytes: bigint('bytes', { mode: 'number' }).notNull().default(0),
    bytesDone: bigint('bytes_done', { mode: 'number' }).notNull().default(0),
    /** How many rows behind the header were looked at, and how many of them are leads now. */
    rows: integer('rows').notNull().default(0),
    takenIn: integer('taken_in').notNull().default(0),
    /** Rows of `import_errors`. Written by a trigger. */
    mistakes: integer('mistakes').notNull().default(0),
    /** The worker that has it, and until when. */
    claim: uuid('claim'),
    claimedUntil: instantNow('claimed_until'),
    /** Why it does not go on now; null: it does. */
    fault: text('fault'),
    requestedBy: text('requested_by').notNull(),
    createdAt: instantNow('created_at'),
    endedAt: instant('ended_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    check('imports_state', sql`state in ('receiving', 'running', 'done', 'cancelled')`),
    index('imports_open').on(t.tenantId).where(sql`state in ('receiving', 'running')`),
    index('imports_campaign').on(t.tenantId, t.campaignId),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'imports_tenant' }),
    foreignKey({ columns: [t.tenantId, t.campaignId], foreignColumns: [campaigns.tenantId, campaigns.id], name: 'imports_campaign_fk' }),
    tenantPolicy(),
  ],
);

/** The bytes of a file, in parts, for as long as its import is not over: they hold personal data. */
export const importParts = pgTable(
  'import_parts',
  {
    tenantId: tenantId(),
    importId: uuid('import_id').notNull(),
    number: integer('number').notNull(),
    data: bytes('data').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.importId, t.number] }),
    foreignKey({ columns: [t.tenantId, t.importId], foreignColumns: [imports.tenantId, imports.id], name: 'import_parts_import_fk' }),
    tenantPolicy(),
  ],
);

/** What is wrong with a line of a file. No value of it: these stay. */
export const importErrors = pgTable(
  'import_errors',
  {
    tenantId: tenantId(),
    id: ownId(),
    importId: uuid('import_id').notNull(),
    /** Counted from 1, with the header. */
    line: integer('line').notNull(),
    reason: text('reason').notNull(),
    /** The row is a lead all the same: something of it was left out. */
    takenIn: boolean('taken_in').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    // A line that is looked at again after a crash is named once.
    unique('import_errors_line').on(t.tenantId, t.importId, t.line, t.reason),
    foreignKey({ columns: [t.tenantId, t.importId], foreignColumns: [imports.tenantId, imports.id], name: 'import_errors_import_fk' }),
    tenantPolicy(),
  ],
);
