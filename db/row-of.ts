import { getTableColumns } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';

/** A row in JSON, as a function of the database gives one with `to_json`. */
export type StoredRow = Record<string, unknown>;

/** The same as a row that drizzle reads: the schema's names and types. Columns that the schema does not know are left out. */
export function rowOf<T extends PgTable>(table: T, stored: StoredRow): T['$inferSelect'] {
  const entries = Object.entries(getTableColumns(table)).map(([key, column]) => {
    const value = stored[column.name] ?? null;
    return [key, value === null ? null : column.mapFromDriverValue(value)];
  });
  return Object.fromEntries(entries) as T['$inferSelect'];
}
