import type { AddressInfo } from 'node:net';
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { liveReaders, webhookEvents } from '../../db/schema/index.ts';
import { decodeCursor, encodeCursor } from '../../operations/live/cursor.ts';
import { issueKey, revokeKey } from '../../operations/api-keys.ts';
import { createClient, type LiveEvent, type LiveOptions, RekindleError, type WebSocketConstructor } from '../../sdk/index.ts';
import { openShop, type Shop, until } from '../helpers/shop.ts';
import { anotherStore, ask } from './left-carts.ts';

// What happens is told to whoever listens: all of it, in the order in which it was committed, also across a reconnect, and to nobody else.

let shop: Shop;
let other: { tenantId: string; apiKey: string };
let base: string;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1, heartbeatMs: 1_000 });
  other = await anotherStore(shop, 'other-store');
  await shop.app.listen({ host: '127.0.0.1', port: 0 });
  base = `http://127.0.0.1:${(shop.app.server.address() as AddressInfo).port}`;
});
afterAll(() => shop.close());
const opened: Listening[] = [];
beforeEach(() => {
  for (const one of opened.splice(0)) one.socket.terminate();
});

interface Message {
  kind: string;
  cursor: string;
  id: string;
  type: string;
  timestamp: string;
  reason: string;
  data: { contact: { id: string; email?: string } | null };
}
interface Listening {
  socket: WebSocket;
  messages: Message[];
  events(): Message[];
  closed: { code: number } | null;
}

/** Resolves once it listens, or was refused. */
async function listenTo(
  query = '',
  { apiKey = shop.tenant.apiKey, headers = {} as Record<string, string>, protocols = ['rekindle.live'] } = {},
): Promise<Listening> {
  const socket = new WebSocket(`${base.replace('http', 'ws')}/api/live${query}`, protocols, {
    headers: { ...(apiKey === '' ? {} : { authorization: `Bearer ${apiKey}` }), ...headers },
  });
  const messages: Message[] = [];
  const one: Listening = { socket, messages, events: () => messages.filter(({ kind }) => kind === 'event'), closed: null };
  opened.push(one);
  socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString()) as Message));
  socket.on('close', (code) => (one.closed = { code }));
  await new Promise<void>((done, refuse) => {
    socket.once('message', () => done());
    socket.once('unexpected-response', (_request, response) => refuse(new Error(String(response.statusCode))));
    socket.once('error', refuse);
  });
  return one;
}

let counter = 0;
/** One event, `contact.updated`. */
const somethingHappens = (email = `person-${++counter}@example.com`) => shop.post('contact.updated', { contact: { email } });
const since = async (query: string, apiKey = shop.tenant.apiKey) => {
  const { status, body } = await ask(shop, apiKey, `/api/events${query}`, 'GET');
  return { status, body: body as { data: LiveEvent[]; cursor: string; more: boolean; code?: string } };
};
const cursorOfNow = async () => (await since('')).body.cursor;

describe('a WebSocket', () => {
  test('is told what happens from now on, and nothing of another store or of another type', async () => {
    await listenTo('', { apiKey: other.apiKey });
    const [all, tasksOnly, foreign] = [await listenTo(), await listenTo('?types=task.opened'), opened[0] as Listening];
    await somethingHappens();
    const [event] = await until('it is told', () => (all.events().length > 0 ? all.events() : null));
    expect(event).toMatchObject({ type: 'contact.updated', id: expect.stringMatching(/^msg_/), data: { contact: { id: expect.any(String) } } });
    expect(event?.data.contact).not.toHaveProperty('email');
    await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx.execute(sql`insert into tasks (tenant_id, id, kind) values (${shop.tenant.tenantId}, gen_random_uuid(), 'question')`),
    );
    await until('the task is told', () => tasksOnly.events().length > 0);
    expect(tasksOnly.events().map(({ type }) => type)).toEqual(['task.opened']);
    expect(foreign.events()).toEqual([]);
  });

  test('goes on from a cursor without leaving anything out', async () => {
    const first = await listenTo();
    await somethingHappens('one@example.com');
    const [seen] = await until('one', () => (first.events().length === 1 ? first.events() : null));
    first.socket.close();
    for (let n = 0; n < 5; n++) await somethingHappens();
    const again = await listenTo(`?after=${seen?.cursor}`);
    await until('the five that it missed', () => again.events().length >= 5);
    await somethingHappens();
    await until('and what comes', () => again.events().length >= 6);
    expect(new Set(again.events().map(({ id }) => id)).size).toBe(6);
    expect(again.events().map(({ id }) => id)).not.toContain(seen?.id);
  });

  test('has addresses only where they are asked for and may be seen', async () => {
    const { apiKey: viewer } = await issueKey(shop.deps, shop.tenant.tenantId, { name: 'v', role: 'viewer', expiresAtMs: null }, 'test');
    await expect(listenTo('?personal_data=true', { apiKey: viewer })).rejects.toThrow('403');
    expect(await since('?personal_data=true', viewer)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    const [open, closed] = [await listenTo('?personal_data=true'), await listenTo('', { apiKey: viewer })];
    await somethingHappens('ada@example.com');
    await until('both are told', () => open.events().length > 0 && closed.events().length > 0);
    expect(open.events()[0]?.data.contact?.email).toBe('ada@example.com');
    expect(JSON.stringify(closed.messages)).not.toContain('ada@example.com');
  });

  test('takes its key as a protocol, which is not repeated; a wrong one, none and a foreign page are refused', async () => {
    const one = await listenTo('', { apiKey: '', protocols: ['rekindle.live', `rekindle.key.${shop.tenant.apiKey}`] });
    expect(one.socket.protocol).toBe('rekindle.live');
    await expect(listenTo('', { apiKey: '' })).rejects.toThrow('401');
    await expect(listenTo('', { apiKey: '', protocols: ['rekindle.live', `rekindle.key.rk_${'x'.repeat(40)}`] })).rejects.toThrow('401');
    // Browsers send cookies along whatever page opens a WebSocket: only pages of this installation may.
    const cookie = { cookie: 'rekindle.session_token=x' };
    await expect(listenTo('', { apiKey: '', headers: { ...cookie, origin: 'https://evil.example' } })).rejects.toThrow('403');
    await expect(listenTo('', { apiKey: '', headers: cookie })).rejects.toThrow('403');
    await expect(listenTo('', { apiKey: '', headers: { ...cookie, origin: 'http://rekindle.example.com' } })).rejects.toThrow('401');
  });

  test('refuses what it does not understand, and says 426 to whoever does not upgrade', async () => {
    await expect(listenTo('?after=x')).rejects.toThrow('400');
    await expect(listenTo('?types=cart.stolen')).rejects.toThrow('400');
    expect(await ask(shop, shop.tenant.apiKey, '/api/live', 'GET')).toMatchObject({ status: 426, body: { code: 'upgrade_required' } });
  });
});

describe('a cursor', () => {
  test('leaves nothing out that is committed later than what was begun after it', async () => {
    const from = await cursorOfNow();
    const names: string[] = [];
    const note = (run: (tx: Parameters<Parameters<typeof shop.deps.db.withTenant>[1]>[0]) => Promise<unknown>) =>
      shop.deps.db.withTenant(shop.tenant.tenantId, run);
    const insert = (id: string) => sql`insert into suppressions (tenant_id, id, channel, address_hash, reason)
      values (${shop.tenant.tenantId}, ${id}, 'email', ${id}, 'bounce')`;
    let release: () => void = () => undefined;
    const held = new Promise<void>((done) => (release = done));
    const begun = new Promise<void>((ready) => {
      void note(async (tx) => {
        await tx.execute(insert('00000000-0000-4000-8000-000000000001'));
        ready();
        await held;
      }).then(() => names.push('first'));
    });
    await begun;
    await note((tx) => tx.execute(insert('00000000-0000-4000-8000-000000000002')));
    const early = (await since(`?after=${from}`)).body;
    expect(early.data.map(({ data }) => data['suppression_id'])).toEqual(['00000000-0000-4000-8000-000000000002']);
    release();
    await until('it is committed', () => names.length > 0);
    const late = (await since(`?after=${early.cursor}`)).body;
    expect(late.data.map(({ data }) => data['suppression_id'])).toEqual(['00000000-0000-4000-8000-000000000001']);
    expect((await since(`?after=${late.cursor}`)).body).toMatchObject({ data: [], more: false });
    // The same from the event's own cursor.
    expect((await since(`?after=${early.data[0]?.cursor}`)).body.data).toEqual([]);
  });

  test('reads everything exactly once, whatever the pages and whoever commits meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.boolean()), { minLength: 1, maxLength: 6 }), async (steps) => {
        let cursor = await cursorOfNow();
        const told: string[] = [];
        let happened = 0;
        for (const [count, isRead] of steps) {
          await Promise.all(Array.from({ length: count }, () => somethingHappens()));
          happened += count;
          if (!isRead) continue;
          const { body } = await since(`?after=${cursor}&limit=2`);
          told.push(...body.data.map(({ id }) => id));
          // Now and then by the cursor of an event instead of the answer's.
          cursor = count % 2 === 0 ? body.cursor : (body.data.at(-1)?.cursor ?? body.cursor);
        }
        for (let more = true; more; ) {
          const { body } = await since(`?after=${cursor}&limit=2`);
          told.push(...body.data.map(({ id }) => id));
          ({ cursor, more } = body);
        }
        expect(told).toHaveLength(happened);
        expect(new Set(told).size).toBe(happened);
      }),
      { numRuns: 8 },
    );
  });

  test('of what is not kept is refused, as are made-up ones', async () => {
    const now = decodeCursor(await cursorOfNow());
    if (now === null) throw new Error('no cursor');
    const refused = async (cursor: string) => (await since(`?after=${cursor}`)).body.code;
    expect(await refused(encodeCursor({ ...now, atMs: now.atMs - 30 * 86_400_000 }))).toBe('cursor_expired');
    // Of another database, or of this one before it was restored.
    expect(await refused(encodeCursor({ ...now, seen: '9000000000000:9000000000000:' }))).toBe('cursor_expired');
    for (const text of ['', 'x', '5 9:1:', '5 1:9:12', '5 1:9:3,2', '5 0:1:', `5 1:${'9'.repeat(19)}:`])
      expect(await refused(Buffer.from(text).toString('base64url')), text).toBe('invalid_request');
  });

  test('comes back as it is from its text', () => {
    const txid = fc.bigInt({ min: 1n, max: (1n << 62n) - 1n });
    const snapshot = fc.tuple(txid, fc.uniqueArray(fc.bigInt({ min: 0n, max: 1_000n }), { maxLength: 5 })).map(
      ([xmin, more]) =>
        `${xmin}:${xmin + 2_000n}:${more
          .toSorted((a, b) => Number(a - b))
          .map((n) => xmin + n)
          .join(',')}`,
    );
    const page = fc.record({ seen: snapshot, seenAtMs: fc.nat(), txid: txid.map(String), seq: fc.nat() });
    fc.assert(
      fc.property(fc.record({ atMs: fc.nat(), seen: snapshot, page: fc.option(page) }), (cursor) => {
        expect(decodeCursor(encodeCursor(cursor))).toEqual(cursor);
      }),
    );
  });

  test('is refused once nobody has read for a week, since nothing was recorded then', async () => {
    const cursor = await cursorOfNow();
    await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.update(liveReaders).set({ until: 0 }));
    const before = await countEvents();
    await somethingHappens();
    expect(await countEvents()).toBe(before);
    expect((await since(`?after=${cursor}`)).body.code).toBe('cursor_expired');
    expect((await since('')).status).toBe(200);
  });
});

const countEvents = () => shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.$count(webhookEvents));

describe('the client', () => {
  const listen = (given: LiveOptions, apiKey = shop.tenant.apiKey) =>
    createClient({ baseUrl: base, apiKey }).live({ WebSocket: WebSocket as unknown as WebSocketConstructor, pollEveryMs: 50, ...given });
  /** What an iterator yields, until it was stopped. */
  function collect(given: LiveOptions) {
    const ended = new AbortController();
    const [events, connections] = [[] as LiveEvent[], [] as string[]];
    const done = (async () => {
      for await (const event of listen({ ...given, signal: ended.signal, onConnection: (one) => connections.push(one) })) events.push(event);
    })();
    return { events, connections, stop: () => (ended.abort(), done) };
  }

  test.each(['socket', 'polling'] as const)('tells what happens, by %s', async (by) => {
    const one = collect({ after: await cursorOfNow(), ...(by === 'polling' ? { WebSocket: null } : {}) });
    await somethingHappens();
    await until('told', () => one.events.length === 1 && one.connections.includes(by));
    await one.stop();
    expect(one.connections[0]).toBe(by);
  });

  test('goes on where it was when its socket is cut, and polls where none can be opened', async () => {
    let cut = 0;
    const sockets: WebSocket[] = [];
    // Every second connection cannot be made.
    const Flaky = function (url: string, protocols: string[]) {
      const socket = new WebSocket(cut++ % 2 === 1 ? url.replace(/:\d+/, ':1') : url, protocols);
      sockets.push(socket);
      return socket;
    } as unknown as WebSocketConstructor;
    const one = collect({ after: await cursorOfNow(), WebSocket: Flaky });
    for (let n = 1; n <= 6; n++) {
      await somethingHappens();
      if (n % 2 === 0) for (const socket of sockets) socket.terminate();
      await until(`${n} told`, () => one.events.length === n);
    }
    await one.stop();
    expect(new Set(one.events.map(({ id }) => id)).size).toBe(6);
    expect(one.connections).toContain('polling');
  });

  test('says what does not pass by waiting', async () => {
    const next = (given: LiveOptions, apiKey?: string) =>
      listen(given, apiKey)
        .next()
        .catch((error: unknown) => error);
    expect(await next({}, `rk_${'x'.repeat(40)}`)).toMatchObject({ code: 'invalid_api_key' });
    const old = encodeCursor({ atMs: 1, seen: '1:1:', page: null });
    for (const WebSocketOrNull of [undefined, null]) {
      const error = await next({ after: old, ...(WebSocketOrNull === null ? { WebSocket: null } : {}) });
      expect(error).toBeInstanceOf(RekindleError);
      expect(error).toMatchObject({ code: 'cursor_expired' });
    }
  });
});

test('a key that is revoked is found out', async () => {
  const { id, apiKey } = await issueKey(shop.deps, shop.tenant.tenantId, { name: 'k', role: 'viewer', expiresAtMs: null }, 'test');
  const one = await listenTo('', { apiKey });
  await revokeKey(shop.deps, shop.tenant.tenantId, id, 'test');
  await until('it is let go', () => one.closed?.code === 4401);
});
