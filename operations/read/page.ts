/** One page of a list in the order of a key that never changes, so that rows added meanwhile shift no page. */
export interface Page<T> {
  items: T[];
  /** The key of the last item, after which the next page begins; null: this was the last page. */
  next: string | null;
}

/** @param rows - one more than `limit`, where there are as many: it says that there is a next page */
export function pageOf<T>(rows: readonly T[], limit: number, keyOf: (row: T) => string): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? keyOf(last) : null };
}
