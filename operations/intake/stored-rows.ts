import type { StoredRow } from '../../db/row-of.ts';

// Rows in JSON that functions of our own database built from our own columns: their types are trusted here and nowhere else.

export const text = (row: StoredRow, column: string) => row[column] as string;
export const maybe = <T>(row: StoredRow, column: string) => (row[column] ?? null) as T | null;
/** A time, stored as ISO 8601. @returns epoch milliseconds, UTC; null where there is none */
export const instant = (row: StoredRow, column: string) => (row[column] == null ? null : Date.parse(text(row, column)));

export const iso = (ms: number) => new Date(ms).toISOString();
export const isoOrNull = (ms: number | null) => (ms === null ? null : iso(ms));
