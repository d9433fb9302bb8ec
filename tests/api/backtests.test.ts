import { sql } from 'drizzle-orm';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asOwner } from '../helpers/database.ts';
import { aCart, openShop, type Shop, until } from '../helpers/shop.ts';
import { anotherStore, ask } from './left-carts.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

const own = (url: string, method: 'GET' | 'POST' = 'GET', payload?: Record<string, unknown>) => ask(shop, shop.tenant.apiKey, url, method, payload);

interface Backtest {
  id: string;
  state: string;
  version: number | null;
  error: string | null;
  report: { enrollments: { begun: number }; people: number } | null;
}

async function run(body: Record<string, unknown>): Promise<Backtest> {
  const begun = await own('/api/backtests', 'POST', body);
  expect(begun).toMatchObject({ status: 202, body: { state: 'running' } });
  const { id } = begun.body as Backtest;
  return until('the end of the backtest', async () => {
    const { body: now } = (await own(`/api/backtests/${id}`)) as { body: Backtest };
    return now.state !== 'running' && now;
  });
}

/** Every row of every table but the backtests' own, the audit log and what asking itself notes, with the transaction that wrote it. */
async function everyRow(): Promise<Record<string, string>> {
  const owner = new pg.Client({ connectionString: shop.database.url });
  await owner.connect();
  try {
    const { rows: tables } = await owner.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and relname not in ('backtests', 'audit_log', 'api_keys', 'request_rates', 'keyed_requests')`,
    );
    const found: Record<string, string> = {};
    for (const { name } of tables) {
      const { rows } = await owner.query<{ state: string }>(
        `select count(*) || ' ' || coalesce(md5(string_agg(t.xmin::text, ',' order by t.ctid)), '') as state from ${name} t`,
      );
      found[name] = rows[0]?.state ?? '';
    }
    return found;
  } finally {
    await owner.end();
  }
}

test('the version in use is run over the history, is kept with its report, and nothing else is written', async () => {
  await shop.post('cart.updated', aCart('cart-1', 'one@example.com'), { at: Date.now() - 5 * 86_400_000 });
  await asOwner(shop.database.url, `update inbox set received_at = received_at - interval '5 days'`);
  const before = await everyRow();
  const done = await run({ sequence: 'cart', days: 30, prices: { email: 0.001 } });
  expect(done).toMatchObject({
    state: 'done',
    version: 1,
    sequence: 'cart',
    report: { people: 1, enrollments: { begun: 1 }, messaged_after_buying: { people: 0 } },
  });
  expect(await everyRow()).toEqual(before);
  const { rows } = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.execute(sql`select action, subject from audit_log where action = 'backtest.start'`),
  );
  expect(rows).toEqual([{ action: 'backtest.start', subject: done.id }]);
});

test('the connection on which it reads cannot write', async () => {
  await expect(
    shop.deps.db.snapshot(shop.tenant.tenantId, (tx) =>
      tx.execute(sql`insert into audit_log (tenant_id, id, actor, action) values (${shop.tenant.tenantId}, gen_random_uuid(), 'x', 'x')`),
    ),
  ).rejects.toMatchObject({ cause: { code: '25006' } });
});

test('a file is run as it stands', async () => {
  const yaml = 'sequence: mine\nname: Mine\non: cart.abandoned\nsteps:\n  - { id: only, at: 1h, channel: email, content: cart/email_2h }\n';
  expect(await run({ yaml, days: 30 })).toMatchObject({
    state: 'done',
    version: null,
    sequence: 'mine',
    report: { messages: { by_step: { only: 1 } } },
  });
});

test.each([
  [{}, 400, 'invalid_request'],
  [{ sequence: 'cart', yaml: 'x' }, 400, 'invalid_request'],
  [{ yaml: 'steps: [' }, 400, 'invalid_request'],
  [{ yaml: '' }, 400, 'invalid_request'],
  [{ yaml: 'x: 1', version: 2 }, 400, 'invalid_request'],
  [{ sequence: 'cart', days: 0 }, 400, 'invalid_request'],
  [{ sequence: 'cart', days: 1.5 }, 400, 'invalid_request'],
  [{ sequence: 'cart', prices: { pigeon: 1 } }, 400, 'invalid_request'],
  [{ sequence: 'cart', prices: { sms: -1 } }, 400, 'invalid_request'],
  [{ sequence: 'cart', extra: true }, 400, 'invalid_request'],
  [{ sequence: 'nonsense' }, 404, 'unknown_sequence'],
  [{ sequence: 'cart', version: 99 }, 404, 'unknown_sequence'],
])('%j is refused', async (body, status, code) => {
  expect(await own('/api/backtests', 'POST', body)).toMatchObject({ status, body: { code } });
});

test('another store sees neither the backtests nor the history', async () => {
  const mine = await run({ sequence: 'cart', days: 30 });
  const { apiKey: other } = await anotherStore(shop, 'another');
  expect(await ask(shop, other, `/api/backtests/${mine.id}`)).toMatchObject({ status: 404 });
  expect(await ask(shop, other, '/api/backtests')).toMatchObject({ body: { data: [] } });
  const begun = await ask(shop, other, '/api/backtests', 'POST', {
    yaml: 'sequence: a\nname: A\non: cart.abandoned\nsteps:\n  - { id: only, at: 1h, channel: email, content: cart/email_2h }\n',
  });
  const { id } = begun.body as Backtest;
  const done = await until('its end', async () => {
    const { body: now } = (await ask(shop, other, `/api/backtests/${id}`)) as { body: Backtest };
    return now.state !== 'running' && now;
  });
  expect(done).toMatchObject({ state: 'done', report: { people: 0, enrollments: { begun: 0 } } });
});

test('one whose process has ended without a word is given up', async () => {
  const { id } = await run({ sequence: 'cart', days: 1 });
  await asOwner(shop.database.url, `update backtests set state = 'running', report = null, progress_at = now() - interval '1 minute' where id = $1`, [
    id,
  ]);
  expect(await own(`/api/backtests/${id}`)).toMatchObject({ body: { state: 'failed', error: expect.stringMatching(/begin it again/) } });
  expect(await run({ sequence: 'cart', days: 1 })).toMatchObject({ state: 'done' });
});
