/** A place in which something of an erased person was still found. No personal data: where, and how many rows. */
export interface Leftover {
  table: string;
  column: string;
  rows: number;
}

/** How much the search after an erasure looked through, and for how many of each. */
export interface Searched {
  tables: number;
  columns: number;
  addresses: number;
  numbers: number;
  ids: number;
  names: number;
  /** Addresses, numbers and names that another person of the store has too: they are theirs, and were not searched for. */
  shared: number;
}

/** Why rows of a person stay after their erasure, by table. Each of them holds ids, times, amounts and outcomes only. */
export const whyKept = {
  contacts: 'The row itself, empty: what the other rows belong to.',
  subjects: 'What was left behind as an amount and a time, without its contents: figures rest on it.',
  enrollments: 'When a sequence began and how it ended: figures rest on it.',
  messages: 'That a message went out, when, and what came of it, without its text and its address: it is never sent again.',
  decisions: 'Why a message was sent or not. Decisions name no person.',
  consents: 'When consent was given or withdrawn, without its wording and its proof.',
  suppressions: 'Salted hashes by which the addresses get nothing any more, should a shop name them again.',
} as const satisfies Record<string, string>;

export type KeptTable = keyof typeof whyKept;

/** Rows emptied before and now. */
export function addCounts(before: Readonly<Record<string, number>>, now: Readonly<Record<string, number>>): Record<string, number> {
  const sum: Record<string, number> = { ...before };
  for (const [table, rows] of Object.entries(now)) if (rows > 0) sum[table] = (sum[table] ?? 0) + rows;
  return sum;
}
