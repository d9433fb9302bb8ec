import { expect, test } from 'vitest';
import { readTable } from '../../operations/csv/table.ts';

const read = (text: string) => readTable(text, ['area', 'statement']);

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
  ['area,statement\nHietzing,Rents fell\nDöbling,"Prices rose\n', 'a quotation mark is not closed'],
])('%j is refused', (text, message) => {
  expect(JSON.stringify(read(text))).toContain(message);
});
