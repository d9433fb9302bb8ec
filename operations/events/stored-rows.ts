import type { StoredRow } from '../../db/row-of.ts';

// Rows in JSON that a function of our own database put together from our own columns: here alone they are taken at their word.

export const text = (row: StoredRow, column: string) => row[column] as string;
export const maybe = <T>(row: StoredRow, column: string) => (row[column] ?? null) as T | null;
/** A time, stored as ISO 8601. @returns epoch milliseconds, UTC; null where there is none */
export const instant = (row: StoredRow, column: string) => (row[column] == null ? null : Date.parse(text(row, column)));

export const iso = (ms: number) => new Date(ms).toISOString();
