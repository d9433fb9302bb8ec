/** A row of a CSV file by the names of its header, with its line in the file. Empty cells are left out. */
export interface CsvRow {
  line: number;
  cells: Record<string, string>;
}

/** A file that cannot be read as a table. */
export type CsvMistake = { line: number; message: string };

/**
 * Read a CSV file as RFC 4180 has it: commas, quotation marks doubled within quotation marks, any ends of lines; a byte order mark is skipped.
 * @param known - the names that the header may have
 */
export function readCsv(text: string, known: readonly string[]): { ok: true; rows: CsvRow[] } | { ok: false; mistake: CsvMistake } {
  const [header, ...records] = recordsOf(text.replace(/^\uFEFF/, ''));
  if (header === undefined) return { ok: false, mistake: { line: 1, message: `is empty: the first line names the columns ${known.join(', ')}` } };
  const names = header.cells.map((name) => name.trim().toLowerCase());
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) return { ok: false, mistake: { line: header.line, message: `has a column that is none of ${known.join(', ')}` } };
  if (new Set(names).size < names.length) return { ok: false, mistake: { line: header.line, message: 'names a column twice' } };
  const rows: CsvRow[] = [];
  for (const { line, cells } of records) {
    if (cells.every((cell) => cell.trim() === '')) continue;
    if (cells.length > names.length) return { ok: false, mistake: { line, message: `has ${cells.length} cells, and the header ${names.length}` } };
    const filled = names.flatMap((name, index) => {
      const cell = cells[index]?.trim() ?? '';
      return cell === '' ? [] : [[name, cell] as const];
    });
    rows.push({ line, cells: Object.fromEntries(filled) });
  }
  return { ok: true, rows };
}

function recordsOf(text: string): { line: number; cells: string[] }[] {
  const records: { line: number; cells: string[] }[] = [];
  let cells: string[] = [];
  let cell = '';
  let quoted = false;
  let line = 1;
  let begunAt = 1;
  const endRecord = () => {
    cells.push(cell);
    records.push({ line: begunAt, cells });
    cells = [];
    cell = '';
  };
  for (let at = 0; at < text.length; at++) {
    const sign = text.charAt(at);
    if (sign === '\n') line++;
    if (quoted) {
      if (sign !== '"') cell += sign;
      else if (text.charAt(at + 1) === '"') {
        cell += '"';
        at++;
      } else quoted = false;
    } else if (sign === '"') quoted = true;
    else if (sign === ',') {
      cells.push(cell);
      cell = '';
    } else if (sign === '\n') {
      endRecord();
      begunAt = line;
    } else if (sign !== '\r') cell += sign;
  }
  if (cell !== '' || cells.length > 0) endRecord();
  return records;
}
