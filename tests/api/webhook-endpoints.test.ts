import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createWebhookWorker, type WebhookWorker } from '../../operations/webhooks/webhook-worker.ts';
import { issueKey } from '../../operations/api-keys.ts';
import { verifyWebhook } from '../../sdk/index.ts';
import { openShop, type Shop, until } from '../helpers/shop.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../helpers/webhook-receiver.ts';
import { anotherStore, ask, askAll, type Method } from './left-carts.ts';

let shop: Shop;
let other: { tenantId: string; apiKey: string };
let receiver: WebhookReceiver;
let worker: WebhookWorker;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  other = await anotherStore(shop, 'other-store');
  receiver = await startWebhookReceiver();
  worker = createWebhookWorker(shop.deps);
});
afterAll(async () => {
  await worker.stop();
  await receiver.close();
  await shop.close();
});
beforeEach(async () => {
  for (const { id } of await askAll<{ id: string }>(shop, shop.tenant.apiKey, '/api/webhook-endpoints')) await call('DELETE', `/${id}`);
  receiver.behave = () => ({ status: 200, body: 'thank you' });
  receiver.received.length = 0;
});

interface Answer {
  id: string;
  secret: string;
  state: string;
  delivery_id: string;
  code?: string;
  errors?: { path: string; message: string }[];
  log: { status: number; answer: string }[];
  webhook_id: string;
  redelivered: number;
  disabled_reason: string | null;
}
const call = async (method: Method, path = '', payload?: Record<string, unknown>, apiKey = shop.tenant.apiKey) => {
  const { status, body } = await ask(shop, apiKey, `/api/webhook-endpoints${path}`, method, payload);
  return { status, body: body as Answer };
};
const create = async (more: Record<string, unknown> = {}) => {
  const { status, body } = await call('POST', '', { url: receiver.url, event_types: ['contact.updated'], ...more });
  expect(status).toBe(201);
  return body;
};
const deliveriesOf = (id: string, query = '') =>
  askAll<{ id: string; type: string; state: string; last_status: number | null }>(
    shop,
    shop.tenant.apiKey,
    `/api/webhook-endpoints/${id}/deliveries${query}`,
  );

test('an endpoint is created with a secret that is shown once, and told what it asked for', async () => {
  const endpoint = await create({ description: 'till' });
  expect(endpoint.secret).toMatch(/^whsec_/);
  const listed = await askAll<Record<string, unknown>>(shop, shop.tenant.apiKey, '/api/webhook-endpoints');
  expect(listed).toMatchObject([{ id: endpoint.id, url: receiver.url, description: 'till', state: 'enabled', include_personal_data: false }]);
  expect(JSON.stringify(listed)).not.toContain('whsec_');

  await shop.post('contact.updated', { contact: { email: 'ada@example.com' } });
  await shop.post('cart.updated', { cart: { id: 'c-1', currency: 'EUR', total: '1.00' }, contact: { email: 'ada@example.com' } });
  await until('it is told', async () => {
    await worker.pass();
    return receiver.received.length > 0;
  });
  const [got] = receiver.received;
  await verifyWebhook(got?.body ?? '', got?.headers ?? {}, endpoint.secret);
  expect(got?.json).toMatchObject({ type: 'contact.updated', data: { contact: { id: expect.any(String) } } });
  // The receiver has it a moment before its answer is stored.
  await until('the answer', async () => (await deliveriesOf(endpoint.id, '?state=delivered')).length > 0);
  expect(await deliveriesOf(endpoint.id)).toMatchObject([{ type: 'contact.updated', state: 'delivered', last_status: 200 }]);
  expect(await deliveriesOf(endpoint.id, '?state=failed')).toEqual([]);
});

test('a test is sent whatever the endpoint listens to, and its log has the answer', async () => {
  const { id } = await create({ event_types: ['order.placed'] });
  receiver.behave = () => ({ status: 503, body: 'we are closed' });
  const asked = await call('POST', `/${id}/test`);
  expect(asked.status).toBe(202);
  await until('it was attempted', async () => {
    await worker.pass();
    return (await call('GET', `/${id}/deliveries/${asked.body.delivery_id}`)).body.log.length > 0;
  });
  const { body } = await call('GET', `/${id}/deliveries/${asked.body.delivery_id}`);
  expect(body).toMatchObject({ type: 'webhook.test', state: 'waiting', last_status: 503, log: [{ status: 503, answer: 'we are closed' }] });

  receiver.behave = () => ({ status: 200 });
  expect((await call('POST', `/${id}/deliveries/${asked.body.delivery_id}/redeliver`)).status).toBe(202);
  await until('it is delivered', async () => {
    await worker.pass();
    return (await call('GET', `/${id}/deliveries/${asked.body.delivery_id}`)).body.state === 'delivered';
  });
  expect(receiver.received.map((one) => one.id)).toEqual([body.webhook_id, body.webhook_id]);
});

test('what cannot be used is refused with its field', async () => {
  const refused = async (payload: Record<string, unknown>) => {
    const { status, body } = await call('POST', '', payload);
    return { status, path: body.errors?.[0]?.path };
  };
  expect(await refused({ url: 'ftp://example.com/' })).toEqual({ status: 400, path: 'body/url' });
  expect(await refused({ url: 'https://user:secret@example.com/' })).toEqual({ status: 400, path: 'body/url' });
  expect(await refused({ url: 'https://example.com/', event_types: ['everything'] })).toEqual({ status: 400, path: 'body/event_types/0' });
  expect(await refused({ url: 'https://example.com/', events: [] })).toMatchObject({ status: 400 });
});

test('a store has twenty endpoints at most, and its endpoints are its own', async () => {
  for (let n = 0; n < 20; n++) await create();
  const { status, body } = await call('POST', '', { url: receiver.url });
  expect([status, body.code]).toEqual([409, 'too_many_endpoints']);
  const [first] = await askAll<{ id: string }>(shop, shop.tenant.apiKey, '/api/webhook-endpoints?limit=7');
  const id = first?.id ?? '';
  expect(await askAll(shop, other.apiKey, '/api/webhook-endpoints')).toEqual([]);
  for (const [method, path, payload] of [
    ['GET', `/${id}`],
    ['PATCH', `/${id}`, { description: 'mine' }],
    ['DELETE', `/${id}`],
    ['POST', `/${id}/test`],
    ['POST', `/${id}/rotate-secret`, {}],
    ['GET', `/${id}/deliveries`],
    ['POST', `/${id}/redeliver`, { since: '2026-01-01T00:00:00Z' }],
  ] as const)
    expect((await call(method, path, payload, other.apiKey)).status, `${method} ${path}`).toBe(404);
});

test('an agent may look and change nothing', async () => {
  const { apiKey } = await issueKey(shop.deps, shop.tenant.tenantId, { name: 'agent', role: 'agent', expiresAtMs: null }, 'test');
  expect((await call('GET', '', undefined, apiKey)).status).toBe(200);
  expect((await call('POST', '', { url: receiver.url }, apiKey)).status).toBe(403);
});

test('an endpoint that was disabled by its failures is parked work; resume sends what waited, cancel removes it', async () => {
  const [one, two] = [await create(), await create()];
  receiver.behave = () => ({ status: 410 });
  await shop.post('contact.updated', { contact: { email: 'bob@example.com' } });
  await until('both are disabled', async () => {
    await worker.pass();
    return (await askAll<Answer>(shop, shop.tenant.apiKey, '/api/webhook-endpoints')).every(({ state }) => state === 'disabled');
  });
  expect((await call('GET', `/${one.id}`)).body).toMatchObject({ disabled_reason: 'gone' });
  const parked = await askAll<Record<string, unknown>>(shop, shop.tenant.apiKey, '/api/parked?kind=endpoint');
  expect(parked).toMatchObject([
    { id: `endpoint:${one.id}`, cause: 'endpoint_gone', affected: { deliveries: 1 }, actions: ['resume', 'cancel'] },
    { id: `endpoint:${two.id}`, cause: 'endpoint_gone' },
  ]);
  receiver.behave = () => ({ status: 200 });
  const act = (id: string, action: string) => ask(shop, shop.tenant.apiKey, `/api/parked/endpoint:${id}/${action}`, 'POST');
  expect((await act(one.id, 'resume')).status).toBe(200);
  expect((await act(two.id, 'cancel')).status).toBe(200);
  await until('what waited is delivered', async () => {
    await worker.pass();
    return (await deliveriesOf(one.id)).every(({ state }) => state === 'delivered');
  });
  expect(await askAll(shop, shop.tenant.apiKey, '/api/parked?kind=endpoint')).toEqual([]);
  expect((await askAll<Answer>(shop, shop.tenant.apiKey, '/api/webhook-endpoints')).map(({ id }) => id)).toEqual([one.id]);
});

test('disabled by hand it is not tested, and every change is in the audit log', async () => {
  const { id } = await create();
  expect((await call('PATCH', `/${id}`, { state: 'disabled', description: 'later' })).body).toMatchObject({
    state: 'disabled',
    disabled_reason: 'by_hand',
  });
  const tested = await call('POST', `/${id}/test`);
  expect([tested.status, tested.body.code]).toEqual([409, 'endpoint_disabled']);
  expect((await call('PATCH', `/${id}`, { state: 'enabled' })).body).toMatchObject({ state: 'enabled', disabled_reason: null });
  expect((await call('POST', `/${id}/rotate-secret`, { overlap_hours: 1 })).body.secret).toMatch(/^whsec_/);
  await call('DELETE', `/${id}`);
  const audit = await askAll<{ action: string }>(shop, shop.tenant.apiKey, `/api/audit?subject=${id}`);
  expect(audit.map(({ action }) => action)).toEqual([
    'webhook_endpoint.remove',
    'webhook_endpoint.rotate',
    'webhook_endpoint.change',
    'webhook_endpoint.change',
    'webhook_endpoint.create',
  ]);
});
