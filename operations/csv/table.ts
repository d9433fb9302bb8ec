import { CsvError, type Info, parse } from 'csv-parse/sync';

/** A row of a CSV file by the names of its header, with the line on which it begins. Empty cells are left out. */
export interface TableRow {
  line: number;
  cells: Record<string, string>;
}

export type Table = { ok: true; rows: TableRow[] } | { ok: false; mistake: { line: number; message: string } };

/**
 * Read a small CSV file whole, as RFC 4180 has it: commas, and any ends of lines. All of it is read, or the first mistake is named.
 * @param known - the names that the header may have
 */
export function readTable(text: string, known: readonly string[]): Table {
  const wrong = (line: number, message: string): Table => ({ ok: false, mistake: { line, message } });
  let records: { record: string[]; info: Info }[];
  try {
    const read: unknown = parse(text, { bom: true, relax_column_count: true, skip_empty_lines: true, info: true });
    records = read as typeof records;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = Number(error['lines']);
    return wrong(Number.isInteger(line) ? line : 1, 'cannot be read: a quotation mark is not closed, or stands in the middle of a cell');
  }
  const [header, ...rest] = records;
  if (header === undefined) return wrong(1, `is empty: the first line names the columns ${known.join(', ')}`);
  const names = header.record.map((name) => name.trim().toLowerCase());
  if (names.some((name) => !known.includes(name))) return wrong(lineOf(header), `has a column that is none of ${known.join(', ')}`);
  if (new Set(names).size < names.length) return wrong(lineOf(header), 'names a column twice');
  const rows: TableRow[] = [];
  for (const one of rest) {
    const cells = one.record.map((cell) => cell.trim());
    if (cells.every((cell) => cell === '')) continue;
    if (cells.length > names.length) return wrong(lineOf(one), `has ${cells.length} cells, and the header ${names.length}`);
    rows.push({
      line: lineOf(one),
      cells: Object.fromEntries(names.map((name, index) => [name, cells[index] ?? '']).filter(([, cell]) => cell !== '')),
    });
  }
  return { ok: true, rows };
}

/** A record is counted by its last line; it begins as many lines before as its cells have breaks. */
const lineOf = ({ record, info }: { record: string[]; info: Info }): number =>
  info.lines - record.reduce((sum, cell) => sum + cell.split('\n').length - 1, 0);
