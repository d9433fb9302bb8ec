import { afterAll, beforeAll, expect, test } from 'vitest';
import { latestFacts } from '../../operations/facts.ts';
import { asOwner } from '../helpers/database.ts';
import { aCart, openShop, type Shop } from '../helpers/shop.ts';
import { anotherStore, ask } from './left-carts.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

interface FactBody {
  id: string;
  kind: string;
  subject: string;
  value: unknown;
  source: string;
  created?: boolean;
  fresh: boolean;
}
const own = (url: string, method: 'GET' | 'POST' | 'PATCH' = 'GET', payload?: Record<string, unknown>) =>
  ask(shop, shop.tenant.apiKey, url, method, payload);
const state = async (payload: Record<string, unknown>) => ((await own('/api/facts', 'POST', payload)).body as { data: FactBody[] }).data;
const listed = async (query: string) => ((await own(`/api/facts?${query}`)).body as { data: FactBody[] }).data;
const ago = (ms: number) => new Date(Date.now() - ms).toISOString();

test('facts are stored once, all or none, and listed', async () => {
  const fact = { kind: 'stock', subject: 'crew', value: { left: 3 }, observed_at: ago(60_000) };
  const [first] = await state(fact);
  expect(first).toMatchObject({ kind: 'stock', subject: 'crew', value: { left: 3 }, source: 'api', created: true, fresh: true });
  const area = {
    kind: 'market',
    subject: 'Upper  Döbling',
    value: { trigger: 'seasonal', statement: 'Most flats are let in spring.', date: '2026-11-01' },
    source: 'office',
  };
  const [again, market] = await state({ facts: [fact, area] });
  expect(again).toMatchObject({ id: first?.id, created: false });
  expect(market).toMatchObject({ subject: 'upper döbling', source: 'office', created: true });

  const wrong = await own('/api/facts', 'POST', {
    facts: [
      { ...fact, value: { left: 2 } },
      { ...area, value: { ...area.value, date: 'soon' } },
    ],
  });
  expect(wrong.status).toBe(400);
  expect((wrong.body as { errors: { path: string }[] }).errors.map(({ path }) => path)).toEqual(['body/facts/1/value/date']);
  const future = await own('/api/facts', 'POST', { facts: [fact, { ...fact, observed_at: '2099-01-01T00:00:00Z' }] });
  expect((future.body as { errors: object[] }).errors).toEqual([{ path: 'body/facts/1/observed_at', message: 'lies in the future' }]);

  await state({ ...fact, subject: 'tin', observed_at: ago(3 * 86_400_000) });
  expect((await listed('kind=stock')).map(({ subject, fresh }) => [subject, fresh])).toEqual([
    ['tin', false],
    ['crew', true],
  ]);
  expect((await listed('fresh=true')).map(({ subject }) => subject)).toEqual(['upper döbling', 'crew']);
  expect((await listed('subject=UPPER%20döbling')).map(({ kind }) => kind)).toEqual(['market']);
  // Another store sees none of it.
  const other = await anotherStore(shop, 'other');
  expect((await ask(shop, other.apiKey, '/api/facts', 'GET')).body).toEqual({ data: [], nextCursor: null });
});

test('the store says how long a kind is stated', async () => {
  await own('/api/settings', 'PATCH', { settings: { factHours: { price: 1 } } });
  const value = { price: '89.00', currency: 'EUR' };
  const [old, fresh] = await state({
    facts: [
      { kind: 'price', subject: 'a', value, observed_at: ago(3_601_000) },
      { kind: 'price', subject: 'b', value, observed_at: ago(60_000) },
    ],
  });
  expect([old?.fresh, fresh?.fresh]).toEqual([false, true]);
  expect((await own('/api/settings', 'PATCH', { settings: { factHours: { weather: 1 } } })).status).toBe(400);
});

test('a webhook states facts too, and of several about one product the latest observation counts, whatever came last', async () => {
  const stock = (left: number, minutes: number) => ({ kind: 'stock', subject: 'oolong', value: { left }, observed_at: ago(minutes * 60_000) });
  await shop.post('facts.updated', { facts: [stock(2, 1), { kind: 'review', subject: 'oolong', value: { average: 4.5, count: 9 } }] });
  await shop.post('facts.updated', { facts: [stock(7, 10)] });
  const latest = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    latestFacts(tx, { subjects: ['oolong', 'nothing'], ofSubjectId: shop.tenant.tenantId }),
  );
  expect(latest.map(({ kind, value, source }) => [kind, value, source])).toEqual([
    ['review', { average: 4.5, count: 9, quote: null, author: null }, 'webhook'],
    ['stock', { left: 2 }, 'webhook'],
  ]);
});

test('facts that have been expired for long are deleted, but for those that a decision still needs', async () => {
  const day = 86_400_000;
  const about = (subject: string, days: number, lastsDays: number, more: Record<string, unknown> = { kind: 'stock', value: { left: 3 } }) => ({
    ...more,
    subject,
    observed_at: ago(days * day),
    expires_at: ago((days - lastsDays) * day),
  });
  const price = (amount: string) => ({ kind: 'price', value: { price: amount, currency: 'EUR' } });
  await state({
    facts: [
      about('long-over', 60, 1),
      about('over', 20, 1),
      // The latest says that nothing is known any more: without it the earlier one would count.
      about('hides', 60, 300),
      about('hides', 50, 1),
      about('priced', 60, 1, price('90.00')),
      about('priced', 50, 1, price('80.00')),
      about('priced', 40, 1, price('70.00')),
    ],
  });
  const left = async () => {
    const ours = (await listed('limit=100')).filter(({ subject }) => /over|hides|priced/.test(subject));
    return ours.map(({ subject, value }) => `${subject} ${JSON.stringify(Object.values(value as object)[0])}`).toSorted();
  };
  // Somebody left a cart in between, and is still in a sequence: what it cost then is known from the price before.
  await shop.post('cart.updated', aCart('cart-of-then', 'then@example.com'));
  const { subjectId = '' } = (await shop.enrollmentOf('cart-of-then')) ?? {};
  await asOwner(shop.database.url, `update subjects set last_activity_at = now() - interval '45 days' where id = $1`, [subjectId]);
  expect(await shop.deps.db.pruneFacts(30, 1_000)).toBe(2);
  expect(await left()).toEqual(['hides 3', 'hides 3', 'over 3', 'priced "70.00"', 'priced "80.00"']);
  await asOwner(shop.database.url, `update enrollments set ended_at = now(), status = 'EXITED', stop_reason = 'manual' where subject_id = $1`, [
    subjectId,
  ]);
  expect(await shop.deps.db.pruneFacts(30, 1_000)).toBe(1);
  expect(await left()).toEqual(['hides 3', 'hides 3', 'over 3', 'priced "70.00"']);
  expect(await shop.deps.db.pruneFacts(30, 1_000)).toBe(0);
});
