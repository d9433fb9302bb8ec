import fc from 'fast-check';
import type { ValidDelivery } from './valid-deliveries.ts';

/** One field of a body, and its damage. `remove`: it is missing. */
export interface Damage {
  path: string;
  how: 'remove' | 'replace';
  value: unknown;
}

const odd: unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  0.5,
  -0.5,
  1e308,
  -1e308,
  5e-324,
  2 ** 31,
  2 ** 53,
  1e16,
  '',
  ' ',
  '\u00a0',
  '\u200b',
  '\ufeff',
  '0',
  '-1',
  '1',
  '00',
  'null',
  'undefined',
  'NaN',
  'Infinity',
  'N/A',
  '-',
  'rubbish',
  '1,234.56',
  '1.234,56',
  '1 234,56',
  "1'234.50",
  '1,234',
  '1.234',
  '€ 49,90',
  '49.90 EUR',
  '4766.11570248',
  '٤٩٫٩٠',
  '1e5',
  '0x10',
  '9'.repeat(40),
  '-5,00',
  '(5.00)',
  '½',
  'de_DE',
  'de_CH_informal',
  'en_US.UTF-8',
  'iw',
  'C',
  'Deutschland',
  'Österreich',
  'AUT',
  'UK',
  'Atlantis',
  'Euro',
  'eur',
  '$',
  '€',
  'XXX',
  '2026-11-20 10:04:30',
  '2026-11-20T10:04:30',
  '2026-11-20T10:04:30+0000',
  'Fri, 20 Nov 2026 10:04:30 +0000',
  '0000-00-00 00:00:00',
  '1970-01-01T00:00:00Z',
  '9999-12-31T23:59:59Z',
  '20.11.2026',
  1_795_165_470,
  1_795_165_470_123,
  '1795165470',
  '/relative',
  '//cdn.example/a.png',
  'javascript:alert(1)',
  'data:text/html,x',
  'www.example.com',
  'http://',
  'a\u0000b',
  '\ud800',
  'x\udfff',
  '\u202egnp.exe',
  '🛒'.repeat(20),
  'ä'.repeat(3_000),
  "Robert'); drop table contacts;--",
  '{{ 7 | times: 7 }}',
  '<script>',
  'a\r\nBcc: eve@example.com',
  '=?utf-8?b?eA==?=',
  [],
  {},
  [[]],
  [null],
  [''],
  { a: { b: [] } },
  { amount: '1.00' },
  { amount: {}, currency_code: 7 },
  { date: '2026-11-20 10:04:30.000000', timezone_type: 3, timezone: 'Europe/Vienna' },
  { length: -1 },
  { toString: null },
  { 0: 'x', 2: 'y' },
];
const deep: unknown = Array.from({ length: 60 }).reduce((inner) => [inner], 'x');

/** What a field may turn into: types, empties, extremes, encodings, nested rubbish. */
const values: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...odd, deep) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.double() },
);

/** Every field of a body as a path, objects and list entries included. */
function pathsOf(value: unknown, at = ''): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = at === '' ? key : `${at}.${key}`;
    return [path, ...pathsOf(inner, path)];
  });
}

/** Fields whose damage leaves whom and what the delivery is about untouched. */
function harmlessPaths({ body, about }: ValidDelivery): string[] {
  return pathsOf(body).filter((path) => !about.some((kept) => kept === path || kept.startsWith(`${path}.`) || path.startsWith(`${kept}.`)));
}

/** @param allowed - which of the harmless fields may be damaged */
export function damagesOf(delivery: ValidDelivery, most: number, allowed: (path: string) => boolean = () => true): fc.Arbitrary<Damage[]> {
  const paths = harmlessPaths(delivery).filter(allowed);
  if (paths.length === 0) return fc.constant([]);
  return fc.array(
    fc.record({ path: fc.constantFrom(...paths), how: fc.constantFrom('remove' as const, 'replace' as const, 'replace' as const), value: values }),
    {
      minLength: 1,
      maxLength: most,
    },
  );
}

/** The body after the damages. The valid one stays as it is. */
export function damaged(delivery: ValidDelivery, damages: readonly Damage[]): Record<string, unknown> {
  const body = structuredClone(delivery.body);
  for (const { path, how, value } of damages) {
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    let place: unknown = body;
    for (const key of keys) place = typeof place === 'object' && place !== null ? (place as Record<string, unknown>)[key] : undefined;
    if (typeof place !== 'object' || place === null) continue;
    if (how === 'replace') (place as Record<string, unknown>)[last] = value;
    else if (Array.isArray(place)) place.splice(Number(last), 1);
    else delete (place as Record<string, unknown>)[last];
  }
  return body;
}
