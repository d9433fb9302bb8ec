import { and, asc, desc, gt, gte, isNotNull, isNull, lt, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { callUnawaited, type Tx } from '../../db/client.ts';
import type { Deps } from '../deps.ts';

/** One page of a list in the order of a key that never changes, so that rows added meanwhile shift no page. */
export interface Page<T> {
  items: T[];
  /** The key of the last item, after which the next page begins; null: this was the last page. */
  next: string | null;
}

/** `created_at` is the age of the entries, by their ids; every list has it. */
export interface Order<F extends string = string> {
  by: F;
  descending: boolean;
}

/** Which page of a list is asked for. */
export interface PageWanted {
  limit: number;
  /** The `next` of the page before; null: the first page. */
  after: string | null;
  /** Absent: the usual order of the list. */
  order?: Order | undefined;
}

/** The usual order of a list: what came last stands first, or what came first. */
export type Usual = 'newest' | 'oldest';

/** @param rows - one more than `limit`, where there are as many: it says that there is a next page */
export function pageOf<T>(rows: readonly T[], limit: number, keyOf: (row: T) => string): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? keyOf(last) : null };
}

export const isDescending = (usual: Usual, { order }: Pick<PageWanted, 'order'>): boolean => order?.descending ?? usual === 'newest';

/** The rows after the page before, in the order of their age. @param id - a key that grows with time */
export const beyond = (id: PgColumn, usual: Usual, page: Omit<PageWanted, 'limit'>): SQL | undefined =>
  page.after === null ? undefined : isDescending(usual, page) ? lt(id, page.after) : gt(id, page.after);

export const byAge = (id: PgColumn, usual: Usual, page: Pick<PageWanted, 'order'>): SQL => (isDescending(usual, page) ? desc(id) : asc(id));

/**
 * Read a page in a transaction whose statements are planned for what is asked: a plan that is kept for every value of a filter reads the whole list for a rare
 * one, and cannot use the indexes that leave out what is usual. Source: docs/adr/0096-lists-of-exceptions.md
 */
export function readList<T>({ db }: Pick<Deps, 'db'>, tenantId: string, read: (tx: Tx) => Promise<T>): Promise<T> {
  return db.withTenant(tenantId, (tx) => {
    callUnawaited(tx, 'set_config($1, $2, true)', ['plan_cache_mode', 'force_custom_plan']);
    return read(tx);
  });
}

/** The clocks of a process and of its database may differ by less than this. */
const clocksApartMs = 3_600_000;

/**
 * Rows since a moment, where `id` was made when `at` was written: the ids, which begin with their time (version 7), keep the walk through the list within
 * that time.
 * @param sinceMs - epoch milliseconds
 */
export const since = (at: PgColumn, id: PgColumn, sinceMs: number): SQL | undefined => and(gte(at, sinceMs), gte(id, idAt(sinceMs - clocksApartMs)));

/** Rows before a moment. See `since`. */
export const before = (at: PgColumn, id: PgColumn, untilMs: number): SQL | undefined => and(lt(at, untilMs), lt(id, idAt(untilMs + clocksApartMs)));

/** The smallest id of version 7 that is made at that time. */
function idAt(ms: number): string {
  const time = Math.max(0, Math.min(ms, 2 ** 48 - 1))
    .toString(16)
    .padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`;
}

/** What a query of one part of a page needs. */
export interface PagePart {
  where: SQL | undefined;
  orderBy: SQL[];
  limit: number;
  /** To be selected as `sortedBy`. */
  sortedBy: PgColumn;
}

/**
 * A page of a list that may be sorted by more than the age of its rows. Equal values stand in the order of ids. Rows without a value stand at
 * the end, whichever way it is sorted: they are a query of their own, so that one index over the column and the id serves both ways.
 * @param columns - by the name in `order.by`
 * @param read - rows of one part, in its order
 */
export async function readSorted<R extends { id: string; sortedBy: unknown }>(
  page: PageWanted,
  { usual, id, columns }: { usual: Usual; id: PgColumn; columns: Readonly<Record<string, PgColumn>> },
  read: (part: PagePart) => Promise<R[]>,
): Promise<Page<R>> {
  const limit = page.limit + 1;
  const column = columns[page.order?.by ?? ''];
  if (column === undefined) {
    const rows = await read({ where: beyond(id, usual, page), orderBy: [byAge(id, usual, page)], limit, sortedBy: id });
    return pageOf(rows, page.limit, (row) => row.id);
  }
  const descending = isDescending(usual, page);
  const [compare, direct] = descending ? [sql.raw('<'), desc] : [sql.raw('>'), asc];
  const place = page.after === null ? null : readPlace(page.after, column);
  const rows: R[] = [];
  if (place === null || place.value !== null) {
    const where = and(
      column.notNull ? undefined : isNotNull(column),
      place === null ? undefined : sql`(${column}, ${id}) ${compare} (${sql.param(place.value, column)}, ${sql.param(place.id, id)})`,
    );
    rows.push(...(await read({ where, orderBy: [direct(column), direct(id)], limit, sortedBy: column })));
  }
  if (!column.notNull && rows.length < limit) {
    const after = place?.value === null ? (descending ? lt(id, place.id) : gt(id, place.id)) : undefined;
    rows.push(...(await read({ where: and(isNull(column), after), orderBy: [direct(id)], limit: limit - rows.length, sortedBy: column })));
  }
  return pageOf(rows, page.limit, placeOf);
}

function placeOf({ id, sortedBy }: { id: string; sortedBy: unknown }): string {
  if (sortedBy === null) return `${id}~`;
  if (typeof sortedBy !== 'string' && typeof sortedBy !== 'number') throw new Error('A list is sorted by texts, numbers and times.');
  return `${id}=${sortedBy}`;
}

const uuidLength = 36;

/** `id=value`, or `id~` where the value is null. */
function readPlace(text: string, column: PgColumn): { id: string; value: string | number | null } {
  const id = text.slice(0, uuidLength);
  const value = text.slice(uuidLength + 1);
  if (text[uuidLength] !== '=') return { id, value: null };
  return { id, value: column.columnType === 'PgText' ? value : Number(value) };
}
