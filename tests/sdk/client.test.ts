import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import * as exported from '../../sdk/index.ts';
import { createClient } from '../../sdk/index.ts';

interface Operation {
  parameters?: { name: string; in: string; required?: boolean }[];
  requestBody?: { content: Record<string, unknown> };
}
const document: { paths: Record<string, Record<string, Operation>> } = JSON.parse(
  readFileSync(new URL('../../sdk/openapi.json', import.meta.url), 'utf8'),
);
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, operation })),
);

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server that answers as it is told. @returns its address */
async function listening(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Seen {
  method: string;
  url: string;
  key: string | null;
  authorization: string | null;
  body: string | null;
}

/** A client whose answers are given, one for each request; the last one is repeated. */
function recorded(answers: (() => Response)[] = [() => Response.json({ data: [], nextCursor: null })], retries = 2) {
  const seen: Seen[] = [];
  const waited: number[] = [];
  const client = createClient({
    baseUrl: 'http://rekindle.example.com/',
    apiKey: 'rk_key',
    retries,
    fetch: (url, init) => {
      const headers = new Headers(init.headers);
      const body = typeof init.body === 'string' ? init.body : null;
      seen.push({ method: init.method ?? '', url, key: headers.get('idempotency-key'), authorization: headers.get('authorization'), body });
      return Promise.resolve((answers[seen.length - 1] ?? answers.at(-1))?.() ?? new Response());
    },
    wait: (ms) => {
      waited.push(ms);
      return Promise.resolve();
    },
  });
  return { client, seen, waited };
}

const refusal = (status: number, headers: Record<string, string> = {}) =>
  Response.json({ type: 't', title: 't', status, code: 'busy', detail: 'Try again.' }, { status, headers });

describe('every operation of the API', () => {
  interface Called {
    name: string;
    request: Seen;
    /** The operation whose path has p0, p1 … where it has parameters, in their order. */
    route: string | undefined;
    operation: Operation | undefined;
  }
  const templates = new Map(
    operations.map(({ route, operation }) => {
      let at = 0;
      return [route.replace(/\{[^}]+\}/g, () => `p${at++}`), { route, operation }];
    }),
  );
  const called: Called[] = [];
  const isIterator = (name: string) => /[.]all([A-Z]|$)/.test(name);

  // Every method of every resource is called, with a value of its own for each part of the path.
  beforeAll(async () => {
    const { client, seen } = recorded();
    for (const [resource, methods] of Object.entries(client)) {
      if (typeof methods === 'function') continue;
      for (const [name, method] of Object.entries(methods as Record<string, (...given: unknown[]) => unknown>)) {
        const before = seen.length;
        const answer = method('p0', 'p1', 'p2', 'p3');
        await (typeof answer === 'object' && answer !== null && Symbol.asyncIterator in answer ? (answer as AsyncGenerator).next() : answer);
        const request = seen[before];
        if (request === undefined) throw new Error(`${resource}.${name} asks for nothing`);
        const found = templates.get(`${request.method} ${new URL(request.url).pathname}`);
        called.push({ name: `${resource}.${name}`, request, route: found?.route, operation: found?.operation });
      }
    }
  });

  test('has a method of its resource, and every method is an operation', () => {
    expect(called.filter(({ route }) => route === undefined).map(({ name }) => name)).toEqual([]);
    const reached = new Set(called.filter(({ name }) => !isIterator(name)).map(({ route }) => route));
    expect(
      // `client.live` opens the WebSocket.
      operations.map(({ route }) => route).filter((route) => !reached.has(route) && route !== 'GET /api/live'),
      'operations without a method: add a line to sdk/resources/',
    ).toEqual([]);
  });

  test('is exported beside the client, for whoever takes single resources', () => {
    const resources = readdirSync(new URL('../../sdk/resources/', import.meta.url)).map((file) => file.replace(/\.ts$/, ''));
    const names = resources.map((name) => name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase()));
    expect(names.filter((name) => !(name in exported))).toEqual([]);
  });

  test('is sent with an Idempotency-Key exactly where it takes one', () => {
    for (const { name, request, operation } of called) {
      const takesKey = operation?.parameters?.some((p) => p.in === 'header' && p.name === 'idempotency-key') === true;
      expect(request.key !== null, name).toBe(takesKey);
      expect(request.authorization).toBe('Bearer rk_key');
    }
  });

  test('has an iterator where it is a list', () => {
    for (const { route, operation } of operations) {
      if (!operation.parameters?.some((p) => p.in === 'query' && p.name === 'cursor')) continue;
      const names = called.filter((one) => one.route === route).map(({ name }) => name.split('.')[1] ?? '');
      expect(
        names.filter((name) => /^all([A-Z]|$)/.test(name)),
        route,
      ).toHaveLength(1);
    }
  });
});

describe('a request', () => {
  test('has its path, its query and its body, and its answer comes as it is', async () => {
    const { client, seen } = recorded([() => Response.json({ id: 'x' }, { status: 201 })]);
    await client.enrollments.list({ email: 'ada+1@example.com', limit: 5 });
    expect(await client.sequences.publish('a b/c', { base_version: 3, running: 'move' })).toEqual({ data: { id: 'x' }, error: null });
    await client.health.get();
    expect(seen.map(({ method, url, body }) => [method, url, body])).toEqual([
      ['GET', 'http://rekindle.example.com/api/enrollments?email=ada%2B1%40example.com&limit=5', null],
      ['POST', 'http://rekindle.example.com/api/sequences/a%20b%2Fc/publish', '{"base_version":3,"running":"move"}'],
      ['GET', 'http://rekindle.example.com/healthz', null],
    ]);
  });

  test('that is refused answers with the problem, its code and its fields', async () => {
    const problem = {
      type: 't',
      title: 'invalid request',
      status: 400,
      code: 'invalid_request',
      detail: 'Not the shape.',
      errors: [{ path: 'body/name', message: 'is empty' }],
    };
    const { client } = recorded([() => Response.json(problem, { status: 400, headers: { 'x-request-id': 'r1' } })]);
    const { data, error } = await client.leads.create({ email: '' });
    expect(data).toBeNull();
    expect(error).toMatchObject({
      code: 'invalid_request',
      status: 400,
      message: 'Not the shape.',
      errors: problem.errors,
      body: problem,
      requestId: 'r1',
    });
  });

  test('that something else answers, such as a proxy, is an error of its own', async () => {
    const { client } = recorded([() => new Response('<h1>Bad gateway</h1>', { status: 502 })], 0);
    expect((await client.tasks.list()).error).toMatchObject({ code: 'unexpected_answer', status: 502, body: '<h1>Bad gateway</h1>' });
  });

  test('of an answer without content has null as its data', async () => {
    const { client } = recorded([() => new Response(null, { status: 204 })]);
    expect(await client.connections.delete('c1')).toEqual({ data: null, error: null });
  });
});

describe('what failed is repeated', () => {
  test('a GET, when Retry-After says', async () => {
    const { client, seen, waited } = recorded([
      () => refusal(503, { 'retry-after': '7' }),
      () => refusal(429, { 'retry-after': '1' }),
      () => Response.json({ ok: 1 }),
    ]);
    expect(await client.settings.get()).toEqual({ data: { ok: 1 }, error: null });
    expect(seen).toHaveLength(3);
    expect(waited[0]).toBe(7_000);
    expect(waited[1]).toBeGreaterThanOrEqual(1_000);
  });

  test('longer and longer where nothing says when, and no more often than allowed', async () => {
    const { client, seen, waited } = recorded([() => refusal(503)], 4);
    expect((await client.settings.get()).error).toMatchObject({ code: 'busy', status: 503 });
    expect(seen).toHaveLength(5);
    waited.forEach((ms, at) => {
      expect(ms).toBeGreaterThanOrEqual(125 * 2 ** at);
      expect(ms).toBeLessThanOrEqual(250 * 2 ** at);
    });
  });

  test('every POST with the same Idempotency-Key, and no other change', async () => {
    const keyed = recorded([() => refusal(503), () => Response.json({ id: 'l' }, { status: 201 })]);
    expect((await keyed.client.leads.create({ email: 'ada@example.com' })).error).toBeNull();
    expect(keyed.seen.map(({ key }) => key)).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), keyed.seen[0]?.key]);
    const plain = recorded([() => refusal(503)]);
    await plain.client.sequences.update('a', { name: 'A' });
    await plain.client.connections.delete('c1');
    expect(plain.seen).toHaveLength(2);
    const own = recorded([() => refusal(503)], 1);
    await own.client.leads.create({ email: 'ada@example.com' }, { idempotencyKey: 'mine' });
    expect(own.seen.map(({ key }) => key)).toEqual(['mine', 'mine']);
  });

  test('a request whose first attempt is still being carried out, until its answer is there', async () => {
    const inUse = () => Response.json({ code: 'idempotency_key_in_use', detail: '' }, { status: 409, headers: { 'retry-after': '1' } });
    const { client, seen } = recorded([() => refusal(503), inUse, () => Response.json({ id: 'l' }, { status: 201 })]);
    expect((await client.leads.create({ email: 'ada@example.com' })).error).toBeNull();
    expect(seen).toHaveLength(3);
  });

  test('nothing that was refused for good, and not after a wait that nobody waits for', async () => {
    for (const answer of [() => refusal(404), () => refusal(409), () => refusal(500), () => refusal(503, { 'retry-after': '3600' })]) {
      const { client, seen } = recorded([answer]);
      await client.settings.get();
      expect(seen).toHaveLength(1);
    }
    const { client } = recorded([() => refusal(503, { 'retry-after': '3600' })]);
    expect((await client.settings.get()).error?.retryAfterMs).toBe(3_600_000);
  });

  test('a connection that was cut in the middle of the answer', async () => {
    let count = 0;
    const url = await listening((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      if (++count === 1) response.write('{"half', () => response.destroy());
      else response.end('{"whole":true}');
    });
    const client = createClient({ baseUrl: url, apiKey: 'rk_key', wait: () => Promise.resolve() });
    expect(await client.settings.get()).toEqual({ data: { whole: true }, error: null });
    expect(count).toBe(2);
  });
});

describe('without an answer', () => {
  test('there is an error that says so: nobody listens, or nobody answers in time', async () => {
    const wait = () => Promise.resolve();
    const nobody = createClient({ baseUrl: 'http://127.0.0.1:1', apiKey: 'rk_key', wait });
    expect((await nobody.settings.get()).error).toMatchObject({ code: 'unreachable', status: 0 });
    const silent = createClient({ baseUrl: await listening(() => undefined), apiKey: 'rk_key', timeoutMs: 30, retries: 1, wait });
    expect((await silent.settings.get()).error).toMatchObject({ code: 'timed_out' });
  });

  test('an aborted request ends, and is not repeated', async () => {
    let asked = 0;
    const url = await listening(() => {
      asked++;
      leaving.abort();
    });
    const leaving = new AbortController();
    const client = createClient({ baseUrl: url, apiKey: 'rk_key', wait: () => Promise.reject(new Error('waited')) });
    const { error } = await client.settings.get({ signal: leaving.signal });
    expect(error).toMatchObject({ code: 'aborted' });
    expect(String(error?.cause)).not.toContain('waited');
    expect(asked).toBe(1);
  });

  test('aborting ends the wait for the next attempt too', async () => {
    const url = await listening((_request, response) => {
      response.writeHead(503, { 'retry-after': '20' }).end(() => setImmediate(() => leaving.abort()));
    });
    const leaving = new AbortController();
    const client = createClient({ baseUrl: url, apiKey: 'rk_key' });
    expect((await client.settings.get({ signal: leaving.signal })).error).toMatchObject({ code: 'aborted' });
  });
});

describe('pages', () => {
  test('are asked for as they are needed, and every entry comes once', async () => {
    const page = (data: unknown[], nextCursor: string | null) => () => Response.json({ data, nextCursor });
    const { client, seen } = recorded([page([{ id: 1 }, { id: 2 }], 'c1'), page([], 'c2'), page([{ id: 3 }], null)]);
    const found: unknown[] = [];
    for await (const entry of client.enrollments.all({ status: 'ACTIVE' })) found.push(entry);
    expect(found).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
    expect(seen.map(({ url }) => new URL(url).search)).toEqual(['?status=ACTIVE', '?status=ACTIVE&cursor=c1', '?status=ACTIVE&cursor=c2']);
    const first = recorded([page([{ id: 1 }], 'c1')]);
    for await (const _ of first.client.enrollments.all()) break;
    expect(first.seen).toHaveLength(1);
  });

  test('of a list that names the next one in Link are found too, and the key goes nowhere else', async () => {
    const next = { link: '<https://elsewhere.example.net/recovery/sequences?limit=1&cursor=c1>; rel="next"' };
    const { client, seen } = recorded([() => Response.json([{ id: 1 }], { headers: next }), () => Response.json([{ id: 2 }])]);
    const found: unknown[] = [];
    for await (const entry of client.recovery.all({ limit: 1 })) found.push(entry);
    expect(found).toEqual([{ id: 1 }, { id: 2 }]);
    expect(seen.map(({ url }) => url)).toEqual([
      'http://rekindle.example.com/recovery/sequences?limit=1',
      'http://rekindle.example.com/recovery/sequences?limit=1&cursor=c1',
    ]);
  });

  test('that cannot be had are thrown', async () => {
    const { client } = recorded([() => refusal(401)]);
    await expect(client.tasks.all().next()).rejects.toMatchObject({ name: 'RekindleError', status: 401 });
  });
});

describe('what is no JSON', () => {
  test('a file is sent as it is read, however long it is', async () => {
    const got: { type: string | undefined; body: string; url: string | undefined }[] = [];
    const url = await listening((request: IncomingMessage, response) => {
      void text(request).then((body) => {
        got.push({ type: request.headers['content-type'], body, url: request.url });
        response.writeHead(202, { 'content-type': 'application/json' }).end('{"id":"i"}');
      });
    });
    async function* lines() {
      yield new TextEncoder().encode('email\n');
      yield new TextEncoder().encode('ada@example.com\n');
    }
    const client = createClient({ baseUrl: url, apiKey: 'rk_key' });
    expect(await client.imports.create(lines(), { source: 'FAIR' })).toEqual({ data: { id: 'i' }, error: null });
    expect(got).toEqual([{ type: 'text/csv', body: 'email\nada@example.com\n', url: '/api/imports?source=FAIR' }]);
  });

  test('a link answers with the address that it leads to', async () => {
    const url = await listening((_request, response) => void response.writeHead(302, { location: 'https://shop.example.com/cart' }).end());
    const client = createClient({ baseUrl: url, apiKey: '' });
    expect(await client.links.click('t')).toEqual({ data: 'https://shop.example.com/cart', error: null });
  });
});
