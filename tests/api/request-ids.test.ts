import { randomUUID } from 'node:crypto';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildApp } from '../../api/app.ts';
import { agreeable } from '../../bench/hot-actions.ts';
import { createLogger } from '../../config/logger.ts';
import { createPrometheus } from '../../config/telemetry.ts';
import { outbox } from '../../db/schema/index.ts';
import { relayOutbox } from '../../operations/relay-outbox.ts';
import { currentRequestId } from '../../operations/request-context.ts';
import { aCart, openShop, type Shop } from '../helpers/shop.ts';
import { askAll } from './left-carts.ts';

// One id names a request in its answer, in the log, in the audit log, and in Temporal.

let shop: Shop;
let app: Shop['app'];
const lines: Record<string, unknown>[] = [];
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  const destination = new Writable({
    write(line: Buffer, _encoding, done) {
      lines.push(JSON.parse(line.toString()) as Record<string, unknown>);
      done();
    },
  });
  const logger = createLogger({ part: 'test', level: 'info', destination, requestId: currentRequestId });
  app = await buildApp({
    deps: { ...shop.deps, log: logger },
    logger,
    client: { options: { namespace: 'default' } } as never,
    registry: createPrometheus().registry,
    links: { temporalUi: null, mailbox: null },
  });
  app.get('/fails', () => {
    throw new Error('on purpose');
  });
  app.get('/logs', async (request) => {
    await new Promise((later) => setImmediate(later));
    logger.info({}, 'an operation logs');
    request.log.info({}, 'the request logs');
    return {};
  });
  await app.ready();
});
afterAll(async () => {
  await app.close();
  await shop.close();
});

const own = /^[0-9a-f-]{36}$/;
const withKey = (id?: string) => ({ authorization: `Bearer ${shop.tenant.apiKey}`, ...(id === undefined ? {} : { 'x-request-id': id }) });

test('a caller with a key may name the id; anybody else, and what is no id, gets one of ours', async () => {
  const idOf = async (headers: Record<string, string>) => (await app.inject({ url: '/api/tasks', headers })).headers['x-request-id'];
  expect(await idOf(withKey('order-17.retry:2'))).toBe('order-17.retry:2');
  expect(await idOf(withKey())).toMatch(own);
  for (const bad of ['', ' ', 'a b', '"', `x${'y'.repeat(100)}`, '-x', 'ä', "x'; select 1"]) expect(await idOf(withKey(bad)), bad).toMatch(own);
  expect(await idOf({ 'x-request-id': 'mine' })).toMatch(own);
  expect(await idOf({ authorization: 'Bearer rk_wrong_wrong_wrong_wrong', 'x-request-id': 'mine' })).toMatch(own);
});

test('every line that is logged for a request has its id, whoever logs it', async () => {
  lines.length = 0;
  const { headers } = await app.inject({ url: '/logs' });
  await app.inject({ url: '/fails' });
  const id = headers['x-request-id'];
  expect(lines.filter(({ msg }) => msg === 'an operation logs' || msg === 'the request logs').map(({ requestId }) => requestId)).toEqual([id, id]);
  expect(lines.find(({ msg }) => msg === 'request failed')?.['requestId']).toMatch(own);
});

test('what a request changed is found in the audit log by its id', async () => {
  const id = `change-${randomUUID()}`;
  const made = await app.inject({ method: 'POST', url: '/api/keys', headers: withKey(id), payload: { name: 'till' } });
  expect(made.statusCode).toBe(201);
  const found = await askAll<{ action: string; request_id: string }>(shop, shop.tenant.apiKey, `/api/audit?request_id=${id}`);
  expect(found.map((entry) => [entry.action, entry.request_id])).toEqual([['api_key.issue', id]]);
});

test('a workflow is started and signalled with the id of the request that led to it', async () => {
  const told: unknown[] = [];
  const engine = {
    ...agreeable,
    start: (_input: unknown, requestId?: string | null) => Promise.resolve(void told.push(['start', requestId])),
    stop: (_ref: unknown, _reason: unknown, requestId?: string | null) => Promise.resolve(void told.push(['stop', requestId])),
  };
  const report = (id: string, payload: Record<string, unknown>) => app.inject({ method: 'POST', url: '/api/events', headers: withKey(id), payload });
  expect((await report('begin-1', { type: 'cart.updated', data: aCart('ids-1', 'ids@example.com', {}) })).statusCode).toBe(200);
  await relayOutbox({ ...shop.deps, engine });
  const order = { order: { id: 'o-ids', currency: 'EUR', total: '1.00', cart_id: 'ids-1' }, contact: { email: 'ids@example.com' } };
  await report('end-1', { type: 'order.placed', data: order });
  await relayOutbox({ ...shop.deps, engine });
  expect(told).toEqual([
    ['start', 'begin-1'],
    ['stop', 'end-1'],
  ]);
});

test('deliveries that are taken in together have the ids of all their requests', async () => {
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, n) =>
      app.inject({
        method: 'POST',
        url: '/api/events',
        headers: withKey(`together-${n}`),
        payload: { type: 'cart.updated', data: aCart(`together-${n}`, `together-${n}@example.com`, {}) },
      }),
    ),
  );
  expect(answers.every(({ statusCode }) => statusCode === 200)).toBe(true);
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select({ requestId: outbox.requestId }).from(outbox));
  const named = new Set(rows.flatMap(({ requestId }) => requestId?.split(',') ?? []));
  expect([...named].toSorted()).toEqual(Array.from({ length: 12 }, (_, n) => `together-${n}`).toSorted());
});
