import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { fastify } from 'fastify';
import { pino } from 'pino';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildApp } from '../../api/app.ts';
import { idempotency } from '../../api/plugins/idempotency.ts';
import { createPrometheus } from '../../config/telemetry.ts';
import { firstKey, issueKey } from '../../operations/api-keys.ts';
import { RequestRates } from '../../operations/requests/request-rates.ts';
import { openShop, type Shop, temporalClientOf, until } from '../helpers/shop.ts';
import { anotherStore } from './left-carts.ts';

// What holds for every route alike: docs/rules.md#rule-91 and #rule-92

const installationKey = 'an-installation-key-of-forty-characters!';
let shop: Shop;
/** Two processes of the API, as far as the database can tell. */
let apps: [Shop['app'], Shop['app']];
let owner: pg.Client;
let other: { tenantId: string; apiKey: string };
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  const build = () =>
    buildApp({
      deps: { ...shop.deps, publicUrl: 'https://rekindle.example.com' },
      logger: pino({ level: 'silent' }),
      client: temporalClientOf(shop),
      registry: createPrometheus().registry,
      links: { temporalUi: null, mailbox: null },
      installationKey,
    });
  owner = new pg.Client({ connectionString: shop.database.url });
  await owner.connect();
  apps = [await build(), await build()];
  other = await anotherStore(shop, 'another-store');
});
afterAll(async () => {
  for (const app of apps) await app.close();
  await owner.end();
  await shop.close();
});

interface Asked {
  body?: Record<string, unknown> | undefined;
  key?: string;
  headers?: Record<string, string>;
  apiKey?: string;
  process?: number;
}
async function ask(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', url: string, { body, key, headers, apiKey, process = 0 }: Asked = {}) {
  const answer = await (process % 2 === 0 ? apps[0] : apps[1]).inject({
    method,
    url,
    headers: {
      authorization: `Bearer ${apiKey ?? shop.tenant.apiKey}`,
      ...(key === undefined ? {} : { 'idempotency-key': key }),
      ...headers,
    },
    ...(body === undefined ? {} : { payload: body }),
  });
  return {
    status: answer.statusCode,
    headers: answer.headers,
    text: answer.body,
    body: (/json/.test(String(answer.headers['content-type'])) ? answer.json() : null) as never,
  };
}
// Keys may have one name, so that a request that is carried out twice makes two.
const create = (name: string, key: string, more: Asked = {}) => ask('POST', '/api/keys', { body: { name }, key, ...more });
const campaign = (name: string, key: string) => ask('POST', '/api/campaigns', { body: { name }, key });
const keysNamed = async (name: string) =>
  (await owner.query<{ n: number }>('select count(*)::int as n from api_keys where name = $1', [name])).rows[0]?.n;

describe('an Idempotency-Key', () => {
  test('makes a repeat answer as the first request did, and do nothing', async () => {
    const key = randomUUID();
    const first = await create('once', key);
    expect(first).toMatchObject({ status: 201 });
    expect(first.headers).not.toHaveProperty('idempotency-replayed');
    const second = await create('once', key, { process: 1 });
    expect(second).toMatchObject({
      status: 201,
      text: first.text,
      headers: { 'idempotency-replayed': 'true', 'content-type': first.headers['content-type'] },
    });
    expect(await keysNamed('once')).toBe(1);
  });

  test('with many repeats at once in two processes has one effect and one answer', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(1), { minLength: 2, maxLength: 8 }), async (processes) => {
        const [key, name] = [randomUUID(), randomUUID()];
        const answers = await Promise.all(
          processes.map(async (process) => {
            for (;;) {
              const answer = await create(name, key, { process });
              if (answer.status !== 409) return answer;
              expect(answer).toMatchObject({ body: { code: 'idempotency_key_in_use' }, headers: { 'retry-after': '1' } });
            }
          }),
        );
        expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
        expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === undefined)).toHaveLength(1);
        expect(await keysNamed(name)).toBe(1);
      }),
      { numRuns: 15 },
    );
  });

  test('belongs to one request: another body or address is refused', async () => {
    const key = randomUUID();
    await create('mine', key);
    expect(await create('another', key)).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    expect(await ask('POST', '/api/scripts', { body: { name: 'x', channel: 'call', content: 'Hello.' }, key })).toMatchObject({ status: 422 });
    expect(await keysNamed('another')).toBe(0);
  });

  test('belongs to one API key: another one of the store, and another store, have their own', async () => {
    const key = randomUUID();
    const { apiKey } = await issueKey(shop.deps, shop.tenant.tenantId, firstKey, 'test');
    const made = [await create('each', key), await create('each', key, { apiKey }), await create('each', key, { apiKey: other.apiKey })];
    expect(made.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(new Set(made.map(({ text }) => text)).size).toBe(3);
  });

  test('of a request with the wrong shape, or that failed, is free again', async () => {
    const key = randomUUID();
    expect(await ask('POST', '/api/keys', { body: { nome: 'x' }, key })).toMatchObject({ status: 400 });
    expect(await create('now right', key)).toMatchObject({ status: 201 });
    const failing = randomUUID();
    await owner.query('alter table campaigns rename to campaigns_away');
    expect((await campaign('later', failing)).status).toBeGreaterThanOrEqual(500);
    await owner.query('alter table campaigns_away rename to campaigns');
    expect(await campaign('later', failing)).toMatchObject({ status: 201 });
  });

  test('keeps a refusal too', async () => {
    const key = randomUUID();
    const first = await ask('POST', '/api/enrollments', { body: { external_id: 'nothing' }, key });
    expect(first).toMatchObject({ status: 404 });
    expect(await ask('POST', '/api/enrollments', { body: { external_id: 'nothing' }, key })).toMatchObject({
      status: 404,
      text: first.text,
      headers: { 'idempotency-replayed': 'true', 'content-type': expect.stringContaining('problem+json') as string },
    });
  });

  test('of a request that was cut off is not carried out again, unless that does nothing twice', async () => {
    const cutOff = (key: string) =>
      owner.query(`update keyed_requests set state = 'running', lease_until = now() - interval '1 second' where key = '${key}'`);
    const key = randomUUID();
    await create('cut off', key);
    await cutOff(key);
    expect(await create('cut off', key)).toMatchObject({ status: 409, body: { code: 'outcome_unknown' } });
    expect(await keysNamed('cut off')).toBe(1);
    const lead = randomUUID();
    const send = () => ask('POST', '/api/leads', { body: { email: 'cut-off@example.com' }, key: lead });
    const { body } = await send();
    await cutOff(lead);
    expect(await send()).toMatchObject({ body: { repeated: true, lead: { id: (body as { lead: { id: string } }).lead.id } } });
  });

  test('is in use for as long as its request is carried out, and not for long once its process has ended', async () => {
    const hooks = idempotency(shop.deps, 20);
    const app = fastify();
    app.addHook('preHandler', (request, reply) => hooks.begin(request, reply));
    app.addHook('onSend', (request, reply, payload) => hooks.keep(request, reply, payload));
    let finish = (_answer: { done: true }) => {};
    const held = new Promise<{ done: true }>((resolve) => (finish = resolve));
    app.post('/held', () => held);
    const key = randomUUID();
    const send = async () => app.inject({ method: 'POST', url: '/held', headers: { 'idempotency-key': key } });
    const leftSeconds = async () =>
      (
        await owner.query<{ left: number }>(
          'select extract(epoch from lease_until - clock_timestamp())::float8 as left from keyed_requests where key = $1',
          [key],
        )
      ).rows[0]?.left;
    const first = send();
    try {
      await until('the key to be taken', async () => (await leftSeconds()) !== undefined);
      // A process that ends here leaves this behind.
      expect(await leftSeconds()).toBeLessThanOrEqual(30);
      await owner.query("update keyed_requests set lease_until = now() - interval '1 second' where key = $1", [key]);
      await until('the lease to be renewed', async () => ((await leftSeconds()) ?? 0) > 0);
      finish({ done: true });
      expect(await first).toMatchObject({ statusCode: 200 });
      expect(await send()).toMatchObject({ statusCode: 200, headers: { 'idempotency-replayed': 'true' } });
    } finally {
      finish({ done: true });
      await first;
      await app.close();
    }
  });

  test('is forgotten after a day', async () => {
    const key = randomUUID();
    await create('yesterday', key);
    await owner.query(`update keyed_requests set kept_until = now() where key = '${key}'`);
    expect(await create('today', key)).toMatchObject({ status: 201 });
    await owner.query(`update keyed_requests set kept_until = now() where key = '${key}'`);
    expect(await shop.deps.db.pruneRequests()).toBeGreaterThan(0);
    expect((await owner.query('select 1 from keyed_requests where key = $1', [key])).rows).toEqual([]);
  });

  test('keeps a secret that is shown once, sealed, and what it answers to the installation’s key', async () => {
    const key = randomUUID();
    const send = () => ask('POST', '/api/keys', { body: { name: 'sealed' }, key });
    const made = (await send()).body as { api_key: string };
    expect((await send()).body).toEqual(made);
    const tenant = () => ask('POST', '/api/tenants', { body: { slug: 'kept-store', name: 'Kept' }, key, apiKey: installationKey });
    const first = await tenant();
    expect(first.status).toBe(201);
    expect(await tenant()).toMatchObject({ status: 201, text: first.text });
    const { rows } = await owner.query<{ everything: string }>(`select string_agg(row_to_json(k)::text, '') as everything from keyed_requests k`);
    const everything = rows[0]?.everything;
    expect(everything).not.toContain(made.api_key);
    expect(everything).not.toContain((first.body as { api_key: string }).api_key);
  });

  test('is taken by every POST of the API', async () => {
    const { paths } = (await ask('GET', '/openapi.json')).body as {
      paths: Record<string, Record<string, { parameters?: { name: string }[]; security: object[] }>>;
    };
    // What the pattern names stores nothing.
    for (const [path, { post }] of Object.entries(paths))
      if (post !== undefined && post.security.length > 0 && !/^\/mcp$|\/form\/(check|preview)$/.test(path))
        expect(
          post.parameters?.map(({ name }) => name),
          path,
        ).toContain('idempotency-key');
  });
});

describe('an ETag', () => {
  test('says that nothing has changed, and changes with what it is of', async () => {
    const { headers } = await ask('GET', '/api/settings');
    const tag = String(headers['etag']);
    expect(tag).toMatch(/^"[\w-]{27}"$/);
    const again = await ask('GET', '/api/settings', { headers: { 'if-none-match': `"x", W/${tag}` } });
    expect(again).toMatchObject({ status: 304, text: '', headers: { etag: tag } });
    await ask('PATCH', '/api/settings', { body: { settings: { lowStockAt: 7 } } });
    expect(await ask('GET', '/api/settings', { headers: { 'if-none-match': tag } })).toMatchObject({ status: 200 });
  });

  test('holds an edit to what its caller has seen', async () => {
    const seen = String((await ask('GET', '/api/settings')).headers['etag']);
    expect(await ask('PATCH', '/api/settings', { body: { settings: { lowStockAt: 8 } }, headers: { 'if-match': seen } })).toMatchObject({
      status: 200,
    });
    const late = await ask('PATCH', '/api/settings', { body: { settings: { lowStockAt: 9 } }, headers: { 'if-match': seen } });
    expect(late).toMatchObject({ status: 412, body: { code: 'precondition_failed' } });
    expect(late.headers['etag']).toBe((await ask('GET', '/api/settings')).headers['etag']);
    expect((await ask('GET', '/api/settings')).body).toMatchObject({ settings: { lowStockAt: 8 } });
    expect(await ask('PUT', '/api/sequences/nowhere/draft', { body: { yaml: 'x' }, headers: { 'if-match': '*' } })).toMatchObject({ status: 412 });
  });

  test('lets one of many edits at once through that have seen the same', async () => {
    const { id } = (await campaign('edited', randomUUID())).body as { id: string };
    const url = `/api/campaigns/${id}`;
    for (let round = 0; round < 5; round++) {
      const tag = String((await ask('GET', url)).headers['etag']);
      const answers = await Promise.all(
        [...Array(6).keys()].map((n) => ask('PATCH', url, { body: { name: `edited ${round} ${n}` }, headers: { 'if-match': tag }, process: n })),
      );
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 412, 412, 412, 412, 412]);
    }
  });
});

describe('the limit of requests', () => {
  const minuteNow = async () => (await owner.query<{ n: number }>('select floor(extract(epoch from clock_timestamp()) / 60)::int as n')).rows[0]?.n;
  const minuteOf = (most: number) => issueKey(shop.deps, shop.tenant.tenantId, { ...firstKey, requestsPerMinute: most }, 'test');

  test('is never exceeded over several processes, and used up but for what they have reserved', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.nat(3), { maxLength: 400 }),
        async (most, count, order) => {
          const { id } = await minuteOf(most);
          const began = await minuteNow();
          const processes = [...Array(count)].map(() => new RequestRates(shop.deps));
          const states = await Promise.all(order.flatMap((n) => processes[n % count]?.take(shop.tenant.tenantId, `api_key:${id}`, id) ?? []));
          const allowed = states.filter((state) => state.allowed).length;
          // A run that meets the turn of a minute has two of them.
          if ((await minuteNow()) !== began) return;
          expect(allowed).toBeLessThanOrEqual(most);
          expect(allowed).toBeGreaterThanOrEqual(Math.min(order.length, most - (count - 1) * Math.max(1, Math.ceil(most / 20))));
        },
      ),
      { numRuns: 25 },
    );
  });

  test('is answered with 429, Retry-After and how the caller stands; others are not held up', async () => {
    const { apiKey } = await minuteOf(3);
    const answers = [];
    for (let n = 0; n < 6; n++) answers.push(await ask('GET', '/api/tasks', { apiKey, process: n }));
    const refused = answers.find(({ status }) => status === 429);
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(3);
    expect(answers[0]?.headers).toMatchObject({
      'ratelimit-policy': '"minute";q=3;w=60',
      ratelimit: expect.stringMatching(/^"minute";r=2;t=\d+$/) as string,
    });
    if (refused !== undefined) {
      expect(refused.body).toMatchObject({ code: 'rate_limited' });
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    }
    expect(await ask('GET', '/api/tasks')).toMatchObject({ status: 200, headers: { 'ratelimit-policy': '"minute";q=600000;w=60' } });
  });

  test('is a setting of the store', async () => {
    const set = await ask('PATCH', '/api/settings', { body: { settings: { requestsPerMinute: 120 } }, apiKey: other.apiKey });
    expect(set.status).toBe(200);
    const { apiKey } = await issueKey(shop.deps, other.tenantId, firstKey, 'test');
    expect((await ask('GET', '/api/tasks', { apiKey })).headers['ratelimit-policy']).toBe('"minute";q=120;w=60');
  });
});

test('a body of no bytes is none, also where a program names JSON as its type', async () => {
  const headers = { 'content-type': 'application/json' };
  // As far as Temporal, which nobody runs here.
  expect(await ask('POST', '/api/scheduler/process-sequences', { headers })).toMatchObject({ body: { code: 'temporal_away' } });
  expect(await ask('DELETE', '/api/sequences/cart', { headers })).toMatchObject({ status: 409, body: { code: 'not_a_draft' } });
  expect(await ask('POST', '/api/campaigns', { headers })).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
});

test('every answer has the headers by which browsers do nothing else with it', async () => {
  for (const url of ['/api/tasks', '/openapi.json', '/nothing', '/api/nothing', '/u/bad-token']) {
    const { headers } = await ask('GET', url);
    expect(headers, url).toMatchObject({
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining("default-src 'none'") as string,
      'referrer-policy': 'no-referrer',
      'strict-transport-security': 'max-age=31536000',
    });
    expect(headers, url).not.toHaveProperty('access-control-allow-origin');
  }
  expect((await shop.app.inject('/openapi.json')).headers).not.toHaveProperty('strict-transport-security');
});
