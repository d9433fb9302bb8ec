import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseExactly } from '../../integrations/read/parse-exactly.ts';

test('integers beyond 2^53 arrive as strings, digit by digit', () => {
  expect(parseExactly('{"id":981820079255243537,"ids":[-9007199254740993,1],"n":9007199254740993}')).toEqual({
    id: '981820079255243537',
    ids: ['-9007199254740993', 1],
    n: '9007199254740993',
  });
});

test('numbers inside strings stay where they are', () => {
  const json = '{"a":"x\\\\\\"981820079255243537, 12","981820079255243537":"\\\\","b":1.2345678901234567890,"c":1e300}';
  expect(parseExactly(json)).toEqual(JSON.parse(json));
});

test('any JSON without long integers parses as JSON.parse does', () => {
  fc.assert(
    fc.property(fc.json(), fc.boolean(), (json, padded) => {
      // The long number in front makes the slow path look at the rest.
      const text = padded ? `[9007199254740993,${json}]` : json;
      const exact = parseExactly(text);
      expect(JSON.stringify(padded ? (exact as unknown[])[1] : exact)).toBe(JSON.stringify(exactIntegers(JSON.parse(json))));
    }),
  );
});

/** What the slow path makes of an integer of 16 digits that JSON can still write exactly. */
function exactIntegers(value: unknown): unknown {
  if (typeof value === 'number' && /^-?\d+$/.test(String(value)) && String(value).length >= 16) return String(value);
  if (Array.isArray(value)) return value.map(exactIntegers);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, exactIntegers(inner)]));
}

test('a string of a megabyte is parsed quickly', () => {
  const long = `{"s":"${'\\"1234567890123456'.repeat(50_000)}","id":9007199254740993}`;
  expect(parseExactly(long)).toMatchObject({ id: '9007199254740993' });
});
