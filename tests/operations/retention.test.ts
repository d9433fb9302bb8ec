import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kindsToApply, retentionKinds, usualRetention } from '../../domain/privacy/retention.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { anotherStore, ask } from '../api/left-carts.ts';
import { aCart, letTimePass, openShop, type Shop } from '../helpers/shop.ts';

// What is kept for a number of days only: docs/rules.md#rule-75

const dayMs = 24 * 3_600_000;
let shop: Shop;
let owner: pg.Client;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  owner = new pg.Client({ connectionString: shop.database.url });
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await shop.close();
});

const own = (path: string, method: 'GET' | 'POST' | 'PATCH' = 'GET', body?: Record<string, unknown>) =>
  ask(shop, shop.tenant.apiKey, path, method, body);
const run = async (dryRun: boolean) => {
  const { status, body } = await own('/api/retention/run', 'POST', { dry_run: dryRun });
  expect(status, JSON.stringify(body)).toBe(200);
  return body as { rows: Record<string, number>; finished: boolean };
};
const one = async (text: string) => (await owner.query<{ n: number }>(`select (${text})::int as n`)).rows[0]?.n;

test('a store keeps what its settings say: what is older goes, what is open and what figures rest on stays', async () => {
  await shop.post('cart.updated', { ...aCart('old', null), contact: { email: 'zebulon@example.com' } }, { at: Date.now() - 3 * 3_600_000 });
  const { id } = (await shop.enrollmentOf('old')) ?? { id: '' };
  await dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: id, stepId: 'email_2h' });
  await shop.post('order.placed', { order: { id: 'o-1', currency: 'EUR', total: '129.90' }, contact: { email: 'zebulon@example.com' } });
  await shop.post('cart.updated', aCart('nobodys', null));
  await letTimePass(shop, 800 * dayMs);
  // Of another person, still running however old the clock makes the rest.
  await shop.post('cart.updated', { ...aCart('new', null), contact: { email: 'vesper@example.com' } }, { at: Date.now() - 3 * 3_600_000 });
  await own('/api/keys', 'POST', { name: 'now' });
  const before = {
    sums: (await one('select coalesce(sum(started), 0) from sums')) ?? 0,
    conversions: await one('select count(*) from conversions'),
    messages: await one('select count(*) from messages'),
    enrollments: await one('select count(*) from enrollments'),
  };
  const counted = await run(true);
  expect(counted.rows).toMatchObject({
    deliveries: 3,
    messages: expect.any(Number) as number,
    anonymous_carts: 1,
    stories: expect.any(Number) as number,
  });
  expect(await one(`select count(*) from messages where payload is not null`)).toBeGreaterThan(0);
  expect((await run(false)).rows).toEqual(counted.rows);
  expect((await run(false)).rows).toEqual({});
  expect(await one(`select count(*) from messages where payload is not null`)).toBe(0);
  expect(await one(`select count(*) from inbox where events <> '[]'`)).toBe(1);
  expect(await one(`select count(*) from subject_keys where value = 'nobodys'`)).toBe(0);
  expect({
    sums: (await one('select coalesce(sum(started), 0) from sums')) ?? 0,
    conversions: await one('select count(*) from conversions'),
    messages: await one('select count(*) from messages'),
    enrollments: await one('select count(*) from enrollments'),
  }).toEqual(before);
  expect((await shop.enrollmentOf('new'))?.endedAt).toBeNull();
});

test('more rows than one statement takes go in several; another store’s stay, and an editor may not', async () => {
  const other = await anotherStore(shop, 'another');
  for (const tenant of [shop.tenant.tenantId, other.tenantId])
    await owner.query(
      `insert into audit_log (tenant_id, id, at, actor, action) select $1, gen_random_uuid(), now() - interval '2000 days', 'test', 'old' from generate_series(1, 2345)`,
      [tenant],
    );
  expect((await run(true)).rows).toMatchObject({ audit_log: 2345 });
  expect((await run(false)).rows).toMatchObject({ audit_log: 2345 });
  expect(await one(`select count(*) from audit_log where action = 'old' and tenant_id = '${other.tenantId}'`)).toBe(2345);
  const { api_key: editor } = (await own('/api/keys', 'POST', { name: 'An editor', role: 'editor' })).body as { api_key: string };
  expect((await ask(shop, editor, '/api/retention/run', 'POST', {})).status).toBe(403);
});

test('null keeps for good, and what figures are read from cannot be kept for less than they look back', async () => {
  expect(kindsToApply({ ...usualRetention, auditDays: null }).map(({ kind }) => kind)).not.toContain('audit_log');
  expect(new Set(kindsToApply(usualRetention).map(({ kind }) => kind))).toEqual(new Set(Object.keys(retentionKinds)));
  const refused = await own('/api/settings', 'PATCH', { settings: { retention: { ...usualRetention, eventDays: 30 } } });
  expect(refused).toMatchObject({ status: 400 });
  expect((await own('/api/settings', 'PATCH', { settings: { retention: { ...usualRetention, auditDays: null } } })).status).toBe(200);
  await owner.query(`insert into audit_log (tenant_id, id, at, actor, action) values ($1, $2, now() - interval '5000 days', 'test', 'ancient')`, [
    shop.tenant.tenantId,
    randomUUID(),
  ]);
  await run(false);
  expect(await one(`select count(*) from audit_log where action = 'ancient'`)).toBe(1);
});
