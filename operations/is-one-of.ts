import { type AnyColumn, type SQL, sql } from 'drizzle-orm';

/** One text whatever the number: lists of every length would each be planned and kept. */
export const isOneOf = (column: AnyColumn, ids: readonly string[]): SQL => sql`${column} = any(${sql.param([...ids])}::uuid[])`;
