import { CsvError, type Info, parse } from 'csv-parse/sync';
import { isGoalChoice } from '../../domain/chat/state.ts';
import type { Property } from '../../domain/chat/property.ts';
import { readProperty } from '../read/property.ts';

/** A row of the list. `goal`: for whom it is; null: for everybody. */
export interface ListedProperty {
  property: Property;
  goal: string | null;
}

const columns = ['id', 'title', 'area', 'goal', 'price', 'currency', 'units_left', 'url', 'observed_at', 'expires_at'] as const;
const mostRows = 2_000;

/** Read the whole list, or name the first mistake with its line. */
export function readList(csv: string, validMs: number): { ok: true; rows: ListedProperty[] } | { ok: false; reason: string } {
  const wrong = (line: number, message: string) => ({ ok: false as const, reason: `line ${line} ${message}` });
  let records: { record: string[]; info: Info }[];
  try {
    const read: unknown = parse(csv, { bom: true, trim: true, relax_column_count: true, skip_empty_lines: true, info: true });
    records = read as typeof records;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return wrong(Number(error['lines']) || 1, 'cannot be read: a quotation mark is not closed, or stands in the middle of a cell');
  }
  const [header, ...rest] = records;
  if (header === undefined) return wrong(1, `is empty: it names the columns ${columns.join(', ')}`);
  const names = header.record.map((name) => name.toLowerCase());
  const unknown = names.find((name) => !columns.some((known) => known === name));
  if (unknown !== undefined) return wrong(1, `has a column "${unknown.slice(0, 40)}" that is none of ${columns.join(', ')}`);
  if (rest.length > mostRows) return wrong(mostRows + 2, `is too much: the list has more than ${mostRows} properties`);
  const rows: ListedProperty[] = [];
  for (const { record, info } of rest) {
    const cells = Object.fromEntries(names.map((name, index) => [name, record[index]]).filter(([, cell]) => cell !== undefined && cell !== ''));
    if (cells['goal'] !== undefined && !isGoalChoice(cells['goal'])) return wrong(info.lines, 'has a goal that is none of buy, rent, invest');
    const read = readProperty(cells, { observedAtMs: null, validMs });
    if (!read.ok) return wrong(info.lines, read.reason);
    rows.push({ property: read.property, goal: cells['goal'] ?? null });
  }
  return { ok: true, rows };
}
