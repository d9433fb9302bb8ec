import { pino } from 'pino';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { buildApp } from '../../api/app.ts';
import { main } from '../../cli/main.ts';
import { createPrometheus } from '../../config/telemetry.ts';
import { freePort } from '../../local/ports.ts';
import { createDeps } from '../../operations/create-deps.ts';
import { storeLateness } from '../../operations/lateness.ts';
import { lazyClient } from '../../temporal/connect.ts';
import { prepareSearchAttributes } from '../../temporal/prepare-namespace.ts';
import { taskQueue } from '../../workflows/contract.ts';
import { newNamespace } from '../helpers/new-namespace.ts';
import { aCart, openShop, type Shop, temporalClientOf, until } from '../helpers/shop.ts';
import { leaveCart } from './left-carts.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

/** The same API, with some of its servers replaced. */
async function appWith(changes: { temporal?: string; namespace?: string; database?: string }) {
  const silent = pino({ level: 'silent' });
  const { registry } = createPrometheus();
  const { temporal: address = shop.temporal.address, namespace = shop.temporal.namespace } = changes;
  const client = lazyClient({ ...shop.temporal, address, namespace });
  const options = {
    masterKey: Buffer.alloc(32, 1),
    publicUrl: 'http://rekindle.example.com',
    smtpUrl: null,
    timeScale: null,
    log: silent,
    applicationName: 'test',
  };
  const deps = changes.database === undefined ? shop.deps : createDeps({ ...options, databaseUrl: changes.database });
  const app = await buildApp({ deps, logger: silent, client, registry, links: { temporalUi: null, mailbox: null } });
  return {
    app,
    async close() {
      await app.close();
      // The client's own retries of a call that nobody answers must not meet a closed channel: they throw where nobody can catch.
      if (changes.temporal === undefined) await client.connection.close();
      if (changes.database !== undefined) await deps.db.close();
    },
  };
}

/** Ask for work as a worker does, for as long as `work` takes. */
async function whilePolling(work: () => Promise<void>): Promise<void> {
  const client = temporalClientOf(shop);
  const over = new AbortController();
  const polling = client.connection
    .withDeadline(Date.now() + 30_000, () =>
      client.connection.withAbortSignal(over.signal, () =>
        client.workflowService.pollWorkflowTaskQueue({ namespace: 'default', taskQueue: { name: taskQueue }, identity: 'test' }),
      ),
    )
    .catch(() => undefined);
  try {
    await work();
  } finally {
    over.abort();
    await polling;
    await client.connection.close();
  }
}

const healthy = (app: Shop['app']) =>
  until('a healthy answer', async () => {
    const answer = await app.inject('/healthz');
    return answer.statusCode === 200 && answer;
  });

test('with everything there, every part is ok', () =>
  whilePolling(async () => {
    const { app, close } = await appWith({});
    const response = await healthy(app);
    expect(response.json()).toMatchObject({
      status: 'ok',
      problems: [],
      parts: {
        postgres: { status: 'ok', latency_ms: expect.any(Number) as unknown },
        temporal: { status: 'ok', server_version: expect.stringMatching(/^\d/) as unknown, missing_search_attributes: [] },
        worker: { status: 'ok', seen_ms_ago: expect.any(Number) as unknown },
        relay: { status: 'ok', waiting: 0, oldest_ms: 0 },
        steps: { status: 'ok', late: 0, worst_late_ms: 0 },
      },
    });
    await close();
  }));

test('search attributes that the namespace lacks are named by /healthz and by doctor, with the command that registers them', async () => {
  const { namespace, client } = await newNamespace();
  const { app, close } = await appWith({ namespace });
  const names = ['Tenant', 'Sequence', 'SubjectKind', 'Subject', 'StopReason'];
  const command = `temporal operator search-attribute create ${names.map((name) => `--name ${name} --type Keyword`).join(' ')}`;
  expect((await app.inject('/healthz')).json()).toMatchObject({
    status: 'degraded',
    problems: expect.arrayContaining([expect.stringContaining(command)]) as unknown,
    parts: { temporal: { status: 'ok', missing_search_attributes: names } },
  });
  vi.stubEnv('REKINDLE_API_URL', await app.listen({ host: '127.0.0.1', port: 0 })).stubEnv('REKINDLE_API_KEY', shop.tenant.apiKey);
  const found = async () => {
    const said: string[] = [];
    await main(
      ['doctor', '--json'],
      (line) => said.push(line),
      (line) => said.push(line),
    );
    return (JSON.parse(said.join('\n')) as { name: string }[]).find(({ name }) => name === 'search attributes');
  };
  try {
    expect(await found()).toMatchObject({ state: 'problem', remedy: command });
    await prepareSearchAttributes(client, pino({ level: 'silent' }));
    await until('doctor to find them', async () => JSON.stringify(await found()).includes('"ok"'), 30_000);
  } finally {
    vi.unstubAllEnvs();
    await close();
    await client.connection.close();
  }
});

test('with Temporal down, /healthz says so and /readyz does not mind: events are still accepted', async () => {
  const { app, close } = await appWith({ temporal: `127.0.0.1:${await freePort()}` });
  const health = await app.inject('/healthz');
  expect(health.statusCode).toBe(503);
  expect(health.json()).toMatchObject({
    status: 'degraded',
    parts: { postgres: { status: 'ok' }, temporal: { status: 'down' }, worker: { status: 'unknown' } },
  });
  expect((await app.inject('/readyz')).json()).toEqual({ status: 'ok' });
  await close();
});

test('with Postgres down, nothing is ready, and every part is still named', async () => {
  const { app, close } = await appWith({ database: `postgres://nobody@127.0.0.1:${await freePort()}/none` });
  const ready = await app.inject('/readyz');
  expect(ready.statusCode).toBe(503);
  expect(ready.headers['content-type']).toContain('application/problem+json');
  expect(ready.json()).toMatchObject({ code: 'unavailable' });
  const health = await app.inject('/healthz');
  expect(health.statusCode).toBe(503);
  expect(health.json()).toMatchObject({
    status: 'down',
    parts: { postgres: { status: 'down', latency_ms: null }, temporal: { status: 'ok' }, relay: { status: 'unknown' } },
  });
  expect(health.body).not.toMatch(/ECONNREFUSED|127\.0\.0\.1/);
  const webhook = await app.inject({ method: 'POST', url: '/api/webhooks/generic', headers: { 'content-type': 'application/json' }, payload: '{}' });
  expect([webhook.statusCode, webhook.headers['retry-after']]).toEqual([503, '5']);
  expect(webhook.json()).toMatchObject({ code: 'unavailable' });
  // The figures that need no database are still served.
  const metrics = await app.inject('/metrics');
  expect(metrics.body).toContain('rekindle_outbox_waiting Nan');
  expect(metrics.body).toContain('process_cpu_seconds_total');
  await close();
});

test('/metrics shows the backlog and the pool as they are now', async () => {
  const waiting = async () => Number(/^rekindle_outbox_waiting (\S+)$/m.exec((await shop.app.inject('/metrics')).body)?.[1]);
  expect(await waiting()).toBe(0);
  await shop.post('cart.updated', aCart('cart-metrics', 'metrics@example.com'));
  expect(await waiting()).toBe(1);
  await leaveCart(shop, 'cart-older', 'older@example.com');
  const { body, headers } = await shop.app.inject('/metrics');
  expect(headers['content-type']).toContain('text/plain');
  expect(Number(/^rekindle_outbox_oldest_seconds (\S+)$/m.exec(body)?.[1])).toBeGreaterThan(3_600);
  expect(body).toMatch(/^rekindle_db_connections\{state="idle"\} \d+$/m);
  // Nothing came faster than it could be applied.
  expect(body).toMatch(/^rekindle_inbox_waiting 0$/m);
  expect(body).not.toMatch(/metrics@|older@/);
});

test('a relay that lags degrades, and is served with 200', () =>
  whilePolling(async () => {
    await leaveCart(shop, 'cart-lag', 'lag@example.com');
    const { app, close } = await appWith({});
    expect((await healthy(app)).json()).toMatchObject({ status: 'degraded', parts: { relay: { status: 'late' } } });
    await close();
  }));

test('steps that go out late degrade, with a sentence, and show in /metrics', () =>
  whilePolling(async () => {
    const { tenantId } = shop.tenant;
    shop.deps.lateness.note(tenantId, 200_000);
    shop.deps.lateness.note(tenantId, 10_000);
    await storeLateness(shop.deps);
    const { app, close } = await appWith({});
    const health = (await healthy(app)).json<{ problems: string[] }>();
    expect(health).toMatchObject({ status: 'degraded', parts: { steps: { status: 'late', late: 2, worst_late_ms: 200_000 } } });
    expect(health.problems).toContainEqual(expect.stringMatching(/^Steps go out late: 2 in the last minute, by up to 200 s\./));
    const { body } = await app.inject('/metrics');
    expect(body).toMatch(/^rekindle_steps_late 2$/m);
    expect(body).toMatch(/^rekindle_steps_worst_lateness_seconds 200$/m);
    await close();
  }));
