import { expect, test } from 'vitest';
import { readCsv } from '../../../domain/facts/read-csv.ts';

const read = (text: string) => readCsv(text, ['area', 'statement']);

test('a table as RFC 4180 has it, with the line of each row', () => {
  expect(read('\uFEFFarea,statement\r\nDöbling,"Prices, and rents:\nboth ""fell"""\r\n\r\nHietzing,\r\n')).toEqual({
    ok: true,
    rows: [
      { line: 2, cells: { area: 'Döbling', statement: 'Prices, and rents:\nboth "fell"' } },
      { line: 5, cells: { area: 'Hietzing' } },
    ],
  });
});

test.each([
  ['', 'is empty'],
  ['area,price\n', 'none of area, statement'],
  ['area,area\n', 'names a column twice'],
  ['area\nDöbling,too much\n', 'has 2 cells, and the header 1'],
])('%j is refused', (text, message) => {
  expect(JSON.stringify(read(text))).toContain(message);
});
