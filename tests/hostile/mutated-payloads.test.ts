import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyPending } from '../../operations/accept-delivery.ts';
import { openShop, type Shop } from '../helpers/shop.ts';
import { deliver, type Provider } from './hostile-shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

interface Example {
  provider: Provider;
  topic: string;
  json: string;
}

function examplesOf(provider: Provider, topicOf: (name: string) => string): Example[] {
  const folder = new URL(`../fixtures/${provider}/`, import.meta.url);
  return readdirSync(folder).map((file) => {
    const body: unknown = JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
    return { provider, topic: topicOf(file.replace('.json', '')), json: JSON.stringify(body) };
  });
}
const examples = [
  ...examplesOf('generic', (name) => name),
  // `shop-redact.json` is `shop/redact`.
  ...examplesOf('shopify', (name) => name.replace('-', '/')),
];

/** JSON as text: what `JSON.stringify` never writes is in it too. */
const values = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value)),
  fc.constantFrom('1e400', '-0', '9007199254740993', '1e-7', '-1', '2147483648', '1.5', '""', 'null', '[]', '{}', 'true'),
  // What Postgres does not take in a text, as often as everything else.
  { weight: 6, arbitrary: fc.constantFrom('"a\\u0000b"', '"\\ud800"', '"\\udfffx"') },
  fc.constantFrom('"a\\r\\nBcc: eve@example.com"', '"javascript:alert(1)"', '"9999-12-31T23:59:59Z"', '"{{ 7 | times: 7 }}"'),
  fc.constantFrom('{"__proto__":{"x":1}}', '{"length":-1}', '[[[[[[]]]]]]', '"eve@example.com, bob@example.com"'),
  fc.string({ unit: 'binary', maxLength: 40 }).map((text) => JSON.stringify(text)),
  fc.integer({ min: 200, max: 12_000 }).map((length) => JSON.stringify('ä'.repeat(length))),
);

type Mutation = { at: number; how: 'replace' | 'remove' | 'rename' | 'double' | 'wrap'; value: string };
const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(),
  how: fc.constantFrom('replace' as const, 'replace' as const, 'remove' as const, 'rename' as const, 'double' as const, 'wrap' as const),
  value: values,
});

/** Every member of every object of the text: where it stands and how long its value is. Values of our examples hold no braces in strings. */
function mutate(json: string, { at, how, value }: Mutation): string {
  const members = [...json.matchAll(/"(?:[^"\\]|\\.)*":("(?:[^"\\]|\\.)*"|-?[\d.eE+-]+|true|false|null|\[\]|\{\})/g)];
  const member = members[at % members.length];
  if (member?.[1] === undefined) return json;
  const [whole, old] = member;
  const name = whole.slice(0, whole.length - old.length);
  const changed = {
    replace: name + value,
    remove: '"removed":null',
    rename: `"__proto__":${old}`,
    double: `${whole},${name}${value}`,
    wrap: `${name}{"inside":${old}}`,
  }[how];
  return json.slice(0, member.index) + changed + json.slice(member.index + whole.length);
}

test('whatever a signed payload turns into, it is applied, put aside, ignored or refused, and nothing breaks', async () => {
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...examples),
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
      async ({ provider, topic, json }, mutations) => {
        const body = mutations.reduce(mutate, json).replace(/"timestamp":"[^"]+"/, `"timestamp":"${new Date().toISOString()}"`);
        const { status, body: answer } = await deliver(shop, provider, { body, topic });
        const result = status === 200 ? String(answer['status']) : String(answer['code']);
        expect(['applied', 'quarantined', 'unreadable', 'ignored', 'not_json']).toContain(result);
        seen.set(result, (seen.get(result) ?? 0) + 1);
      },
    ),
    { numRuns: 300 },
  );
  // Close enough to the real ones to get in: what does not say whom or what costs nothing.
  expect(seen.get('applied') ?? 0).toBeGreaterThan(200);
  await applyPending(shop.deps);
  const { rows } = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.execute(`select topic, last_error from inbox where state = 'pending' or attempts > 0`),
  );
  expect(rows).toEqual([]);
  expect(({} as Record<string, unknown>)['x']).toBeUndefined();
});
