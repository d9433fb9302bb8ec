import { afterAll, beforeAll, expect, test } from 'vitest';
import { adminCodes } from '../../db/schema/index.ts';
import { type Guesses, useAdminCode } from '../../operations/chat/admin-codes.ts';
import { openShop, type Shop } from '../helpers/shop.ts';
import { anotherStore } from '../api/left-carts.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

const fresh: Guesses = { wrongCodes: 0, wrongCodesSince: null };
const newCode = async () => {
  const answer = await shop.app.inject({
    method: 'POST',
    url: '/api/telegram/admin-codes',
    headers: { authorization: `Bearer ${shop.tenant.apiKey}` },
  });
  expect(answer.statusCode).toBe(201);
  return answer.json<{ code: string; expiresAt: string }>();
};
const use = (code: string, guesses = fresh, laterMs = 0, tenantId = shop.tenant.tenantId) =>
  shop.deps.db.withTenant(tenantId, (tx) => useAdminCode(tx, tenantId, code, guesses, shop.deps.clock.nowMs() + laterMs));

test('a code holds once, in any spelling, and is stored as a hash', async () => {
  const { code } = await newCode();
  expect(code).toMatch(/^[A-Z2-9]{10}$/);
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(adminCodes));
  expect(JSON.stringify(rows)).not.toContain(code);
  expect((await use(` ${code.slice(0, 5).toLowerCase()}-${code.slice(5)}`)).verdict).toBe('accepted');
  expect((await use(code)).verdict).toBe('wrong');
});

test('two chats that bring one code at once do not both become the admin', async () => {
  const { code } = await newCode();
  const verdicts = (await Promise.all([1, 2, 3, 4].map(() => use(code)))).map(({ verdict }) => verdict);
  expect(verdicts.filter((verdict) => verdict === 'accepted').length).toBe(1);
});

test('a code ends after a quarter of an hour, with a newer one, and is another store’s nothing', async () => {
  const [first, second] = [await newCode(), await newCode()];
  expect((await use(first.code)).verdict).toBe('wrong');
  const other = await anotherStore(shop, 'other-store');
  expect((await use(second.code, fresh, 0, other.tenantId)).verdict).toBe('wrong');
  const endsInMs = Date.parse(second.expiresAt) - shop.deps.clock.nowMs();
  expect(endsInMs).toBeLessThanOrEqual(15 * 60_000);
  expect((await use(second.code, fresh, endsInMs + 1_000)).verdict).toBe('wrong');
  expect((await use(second.code, fresh, endsInMs - 1_000)).verdict).toBe('accepted');
});

test('after five wrong codes in an hour a chat’s codes count no more, not even the right one', async () => {
  const { code } = await newCode();
  let guesses = fresh;
  for (let times = 0; times < 5; times++) ({ guesses } = await use('WRONG', guesses));
  expect(guesses.wrongCodes).toBe(5);
  expect((await use(code, guesses)).verdict).toBe('locked');
  expect((await use(code, { ...guesses, wrongCodesSince: (guesses.wrongCodesSince ?? 0) - 3_600_001 })).verdict).toBe('accepted');
});
