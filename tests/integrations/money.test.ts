import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toMinor } from '../../integrations/money.ts';

test.each([
  ['129.90', 'EUR', 12_990],
  ['129.9', 'eur', 12_990],
  ['129', 'EUR', 12_900],
  ['129.900', 'EUR', 12_990],
  ['1500', 'JPY', 1_500],
  ['1500.00', 'JPY', 1_500],
  ['1.234', 'KWD', 1_234],
  ['0', 'EUR', 0],
  [129.9, 'EUR', 12_990],
  [3 * 19.99, 'EUR', 5_997],
  [0.1 + 0.2, 'EUR', 30],
  [' 1.00 ', 'EUR', 100],
])('%j %s is %i minor units exactly', (amount, currency, minor) => {
  expect(toMinor(amount, currency, 'refuse')).toBe(minor);
});

test.each([
  ['129.905', 'EUR'],
  ['1.5', 'JPY'],
  ['-1', 'EUR'],
  [-0.01, 'EUR'],
  ['1,90', 'EUR'],
  ['1e3', 'EUR'],
  ['', 'EUR'],
  ['.5', 'EUR'],
  ['0x10', 'EUR'],
  [Number.NaN, 'EUR'],
  [Number.POSITIVE_INFINITY, 'EUR'],
  ['99999999999999999', 'EUR'],
  ['999999999999999.99', 'EUR'],
  ['1', 'EURO'],
  ['1', ''],
])('%j %s is no amount', (amount, currency) => {
  expect(toMinor(amount, currency, 'refuse')).toBeNull();
});

test('what the currency does not have is rounded half up where that is asked for', () => {
  expect(toMinor('129.905', 'EUR', 'round')).toBe(12_991);
  expect(toMinor('129.9049', 'EUR', 'round')).toBe(12_990);
  expect(toMinor('0.5', 'JPY', 'round')).toBe(1);
});

test('every amount of cents survives its decimal form, as text and as a number', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000_000_000 }), (cents) => {
      const text = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
      expect(toMinor(text, 'EUR', 'refuse')).toBe(cents);
      expect(toMinor(Number(text), 'EUR', 'refuse')).toBe(cents);
    }),
  );
});
