import { expect, test } from 'vitest';
import { csvOf } from '../../web/parts/csv.ts';

// What lists of the dashboard are saved as.

test('a column for each field that any row has, in the order in which they are met', () => {
  expect(csvOf([{ a: 1, b: null }, { c: { d: true } }])).toBe('\ufeffa,b,c\r\n1,,\r\n,,"{""d"":true}"\r\n');
});

test.each([
  ['=1+1', "'=1+1"],
  ['+43 660 1', "'+43 660 1"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['-1+cmd', "'-1+cmd"],
  ['\t=1', "'\t=1"],
  // Amounts are no formulas.
  ['-12.00', '-12.00'],
  ['12.00', '12.00'],
  ['says "yes", twice', '"says ""yes"", twice"'],
  ['two\nlines', '"two\nlines"'],
])('%j is written as %j', (value, cell) => {
  expect(csvOf([{ value }])).toBe(`\ufeffvalue\r\n${cell}\r\n`);
});
