import { Readable } from 'node:stream';
import { type CsvError, type Info, parse } from 'csv-parse';
import { parse as parseWhole } from 'csv-parse/sync';

/** Nobody's row is longer; an unclosed quotation mark would make one of the rest of the file. */
const mostOfRecord = 64 * 1024;

/** One row, and the line on which it begins, counted from 1. `bytes`: up to its end. */
export interface CsvRow {
  line: number;
  bytes: number;
  fields: string[];
}

/** What cannot be read. */
export interface CsvMistake {
  line: number;
  reason: string;
}

const options = (delimiter: string) => ({
  delimiter,
  bom: true,
  relax_column_count: true,
  skip_empty_lines: true,
  // A quotation mark in the middle of a text is one.
  relax_quotes: true,
  max_record_size: mostOfRecord,
});

/** The delimiter of a file by its first line: what stands most often between its names, outside of quotes. */
export function delimiterOf(start: string): string {
  const [line = ''] = start.replace(/^\ufeff/, '').split(/\r?\n/, 1);
  const bare = line.replace(/"(?:[^"]|"")*"/g, '');
  const count = (text: string) => bare.split(text).length - 1;
  return [',', ';', '\t', '|'].reduce((best, one) => (count(one) > count(best) ? one : best));
}

/** The names of the columns. @returns null where the file begins with nothing that can be read */
export function headerOf(start: string, delimiter: string): string[] | null {
  try {
    const [header] = parseWhole(start, { ...options(delimiter), to: 1 }) as string[][];
    return header === undefined || header.every((name) => name.trim() === '') ? null : header;
  } catch {
    return null;
  }
}

/**
 * The rows of a file behind its header, read as they are asked for.
 * @param onMistake - called for a row that is left out
 */
export async function* readRows(parts: AsyncIterable<Buffer>, delimiter: string, onMistake: (mistake: CsvMistake) => void): AsyncGenerator<CsvRow> {
  let endOfLast = 1;
  const parser = parse({
    ...options(delimiter),
    info: true,
    from: 2,
    skip_records_with_error: true,
    on_record: (record: string[], { lines }) => {
      endOfLast = lines;
      return record;
    },
    // The error names the line at which it was noticed; the row began behind the one before.
    on_skip: (error) => {
      onMistake({ line: endOfLast + 1, reason: reasonOf(error) });
      return undefined;
    },
  });
  const source = Readable.from(parts);
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: Info }>) {
      const breaks = record.reduce((sum, field) => sum + field.split('\n').length - 1, 0);
      yield { line: info.lines - breaks, bytes: info.bytes, fields: record };
    }
  } finally {
    source.destroy();
    parser.destroy();
  }
}

function reasonOf(error: CsvError | undefined): string {
  if (error?.code === 'CSV_MAX_RECORD_SIZE' || error?.code === 'CSV_QUOTE_NOT_CLOSED')
    return 'has a quotation mark that is not closed: what follows it could not be read';
  return 'cannot be read';
}
