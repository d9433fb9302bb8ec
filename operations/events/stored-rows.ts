/** A row in JSON, as the functions of our own database write our own columns: the one place where it is taken at its word. */
export type StoredRow = Record<string, unknown>;

export const text = (row: StoredRow, column: string) => row[column] as string;
export const maybe = <T>(row: StoredRow, column: string) => (row[column] ?? null) as T | null;
/** A time, stored as ISO 8601. @returns epoch milliseconds, UTC; null where there is none */
export const instant = (row: StoredRow, column: string) => (row[column] == null ? null : Date.parse(text(row, column)));

export const iso = (ms: number) => new Date(ms).toISOString();
