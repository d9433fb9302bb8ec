import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
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

interface Stored {
  id: string;
  account: string;
  ageDays: number;
  changed: boolean;
}
const storedAssessments = fc.array(
  fc.record({ which: fc.integer({ min: 0, max: 2 }), ageDays: fc.integer({ min: 0, max: 1_000 }), changed: fc.boolean() }),
  { maxLength: 40 },
);

test('of assessments, those that changed nothing go first, those that changed the band with the stories, and the newest of each account never', async () => {
  const other = await anotherStore(shop, 'another-portfolio');
  const accountOf = async (apiKey: string, n: number) => {
    const payload = {
      account: { id: `assessed-${n}` },
      contact: { email: `assessed-${n}@example.com` },
      behaviour: [{ kind: 'visit', at: new Date().toISOString() }],
    };
    const { status, body } = await ask(shop, apiKey, '/api/behaviour', 'POST', payload);
    expect(status, JSON.stringify(body)).toBe(200);
    return (body as { account: string }).account;
  };
  const accounts = [await accountOf(shop.tenant.apiKey, 1), await accountOf(shop.tenant.apiKey, 2), await accountOf(shop.tenant.apiKey, 3)];
  const elsewhere = await accountOf(other.apiKey, 4);
  const store = (tenantId: string, rows: readonly Stored[]) =>
    owner.query(
      `insert into risk_assessments (tenant_id, id, subject_id, at, by, rules_because, basis, score, band, band_before, factors, thresholds, prediction, cause)
       select $1, r.id, r.account, now() - make_interval(days => r."ageDays") - interval '1 minute', 'rules', 'no_model', 'rank', 0.5, 'early',
         case when r.changed then 'none' else 'early' end, '[]', '{}', '{}', 'time'
       from jsonb_to_recordset($2::jsonb) as r(id uuid, account uuid, "ageDays" int, changed boolean)`,
      [tenantId, JSON.stringify(rows)],
    );
  const left = async () => {
    const { rows } = await owner.query<{ id: string }>('select id from risk_assessments where tenant_id = $1', [shop.tenant.tenantId]);
    return new Set(rows.map(({ id }) => id));
  };
  const [assessmentDays, enrollmentDays] = [180, 730];
  await fc.assert(
    fc.asyncProperty(storedAssessments, fc.integer({ min: 0, max: 2 }), async (histories, named) => {
      await owner.query('delete from risk_assessments where tenant_id = $1', [shop.tenant.tenantId]);
      const rows = histories.map(({ which, ...row }): Stored => ({ ...row, id: randomUUID(), account: accounts[which] ?? '' }));
      await store(shop.tenant.tenantId, rows);
      // A standing names the newest. That of one account was left behind, and what it names stays all the same.
      const ofNamed = rows.filter(({ account }) => account === accounts[named]);
      await owner.query('update risk_standings set assessment_id = $2 where subject_id = $1', [accounts[named], ofNamed[0]?.id ?? null]);
      const isKept = ({ id, account, ageDays, changed }: Stored) =>
        ageDays < (changed ? enrollmentDays : assessmentDays) ||
        !rows.some((newer) => newer.account === account && newer.ageDays < ageDays) ||
        id === ofNamed[0]?.id;
      const counted = await run(true);
      const { rows: gone } = await run(false);
      expect(await left()).toEqual(new Set(rows.filter(isKept).map(({ id }) => id)));
      expect((gone['assessments'] ?? 0) + (gone['band_changes'] ?? 0)).toBe(rows.length - rows.filter(isKept).length);
      expect(counted.rows).toEqual(gone);
      expect((await run(false)).rows).toEqual({});
    }),
    { numRuns: 25 },
  );
  await owner.query('delete from risk_assessments where tenant_id = $1', [shop.tenant.tenantId]);
  const many = (account: string) =>
    Array.from({ length: 2_345 }, (_, n): Stored => ({ id: randomUUID(), account, ageDays: 181 + (n % 700), changed: false }));
  await store(shop.tenant.tenantId, many(accounts[0] ?? ''));
  await store(other.tenantId, many(elsewhere));
  // Of the newest day several have the same moment, and none of those is older than another.
  expect(await run(false)).toMatchObject({ finished: true, rows: { assessments: 2_341 } });
  expect(await one(`select count(*) from risk_assessments where tenant_id = '${shop.tenant.tenantId}'`)).toBe(4);
  expect(await one(`select count(*) from risk_assessments where tenant_id = '${other.tenantId}'`)).toBe(2_345);
});

test('a setting that was stated before assessments were in it means the usual days of them', async () => {
  const { assessmentDays: usual, ...others } = usualRetention;
  expect((await own('/api/settings', 'PATCH', { settings: { retention: others } })).status).toBe(200);
  expect((await own('/api/settings')).body).toMatchObject({ settings: { retention: { assessmentDays: usual } } });
  await owner.query(`update tenants set settings = jsonb_set(settings, '{retention}', $2) where id = $1`, [
    shop.tenant.tenantId,
    JSON.stringify(others),
  ]);
  expect((await own('/api/settings')).body).toMatchObject({ settings: { retention: { assessmentDays: usual } } });
  expect(await own('/api/settings', 'PATCH', { settings: { retention: { ...usualRetention, assessmentDays: 34 } } })).toMatchObject({ status: 400 });
});
