import type { Tx } from '../../db/client.ts';
import type { Leftover } from '../../domain/privacy/receipt.ts';
import type { SearchTerms } from '../../domain/privacy/search-terms.ts';

export interface SearchResult {
  tables: number;
  columns: number;
  found: Leftover[];
}

/**
 * Search every column of every table of the tenant that can hold a text, whatever it is called: the catalogue names them, so a table that is added later
 * is searched as well. Reads each table once from end to end; the caller's transaction may take minutes where there are millions of rows.
 * @param onTable - called before each table
 */
export async function searchTexts(tx: Tx, terms: SearchTerms, onTable: () => void = () => undefined): Promise<SearchResult> {
  const tables = await textColumns(tx);
  const result: SearchResult = { tables: tables.length, columns: 0, found: [] };
  for (const { table, columns } of tables) {
    onTable();
    result.columns += columns.length;
    const counts = columns.map(({ text }, i) => `count(*) filter (where lower(${text}) like any($1) or lower(${text}) ~ any($2))::int as "${i}"`);
    const { rows } = await tx.$client.query<Record<string, number>>({
      text: `select ${counts.join(', ')} from ${table.quoted} t`,
      values: [terms.like, terms.regex],
    });
    for (const [i, { name }] of columns.entries()) {
      const hits = rows[0]?.[String(i)] ?? 0;
      if (hits > 0) result.found.push({ table: table.name, column: name, rows: hits });
    }
  }
  return result;
}

interface TextColumns {
  table: { name: string; quoted: string };
  /** `text`: the column as a text, in SQL. */
  columns: { name: string; text: string }[];
}

/** Columns of types that hold no text of anybody's are left out: numbers, times, ids, truth values. */
async function textColumns(tx: Tx): Promise<TextColumns[]> {
  const { rows } = await tx.$client.query<{ table: string; quoted: string; column: string; text: string }>({
    text: `select c.relname as table, format('public.%I', c.relname) as quoted, a.attname as column,
        case when a.atttypid = 'bytea'::regtype then format('encode(t.%I, ''escape'')', a.attname) else format('t.%I::text', a.attname) end as text
      from pg_class c join pg_attribute a on a.attrelid = c.oid join pg_type y on y.oid = a.atttypid
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0 and not a.attisdropped
        and has_table_privilege(c.oid, 'select')
        and (y.typcategory in ('S', 'A', 'U', 'C', 'I') or y.typname in ('json', 'jsonb', 'bytea')) and y.typname <> 'uuid'
      order by c.relname, a.attnum`,
  });
  const tables = new Map<string, TextColumns>();
  for (const { table, quoted, column, text } of rows) {
    const known = tables.get(table) ?? { table: { name: table, quoted }, columns: [] };
    known.columns.push({ name: column, text });
    tables.set(table, known);
  }
  return [...tables.values()];
}
