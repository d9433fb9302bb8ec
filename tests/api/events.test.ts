import { afterAll, beforeAll, expect, test } from 'vitest';
import { aCart, openShop, type Shop } from '../helpers/shop.ts';
import { anotherStore, ask, askAll } from './left-carts.ts';

// A store's own code reports events with its key: they have the effects of webhooks, and each has its own answer.

let shop: Shop;
let other: { tenantId: string; apiKey: string };
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  other = await anotherStore(shop, 'other-store');
});
afterAll(() => shop.close());

interface Result {
  id: string;
  status: string;
  fields: { field: string; reason: string }[];
}
async function report(payload: Record<string, unknown>, key?: string) {
  const response = await shop.app.inject({
    method: 'POST',
    url: '/api/events',
    headers: { authorization: `Bearer ${shop.tenant.apiKey}`, ...(key === undefined ? {} : { 'idempotency-key': key }) },
    payload,
  });
  const body = response.json<{ data: Result[]; code?: string; errors?: { path: string }[] }>();
  return { status: response.statusCode, body, results: body.data?.map(({ status }) => status) };
}

test('a cart and its order, in one request, begin a sequence and end it', async () => {
  const email = 'own-1@example.com';
  const done = await report({
    events: [
      { id: 'e-1', type: 'cart.updated', data: aCart('own-1', email, {}) },
      { id: 'e-2', type: 'order.placed', data: { order: { id: 'o-own-1', currency: 'EUR', total: '20.00', cart_id: 'own-1' }, contact: { email } } },
    ],
  });
  expect(done).toMatchObject({ status: 200, results: ['accepted', 'accepted'] });
  expect(await shop.enrollmentOf('own-1')).toMatchObject({ status: 'EXITED', stopReason: 'not_abandoned' });
});

test('an id counts once, whether it comes by the API or as a webhook', async () => {
  const event = { id: 'once-1', type: 'contact.updated', data: { contact: { email: 'once@example.com' } } };
  expect((await report(event)).results).toEqual(['accepted']);
  expect((await report(event)).results).toEqual(['duplicate']);
  await shop.post('contact.updated', event.data, { id: 'once-2' });
  expect((await report({ ...event, id: 'once-2' })).results).toEqual(['duplicate']);
});

test('an Idempotency-Key makes the ids of events that have none, and a repeat of the request answers as the first did', async () => {
  const events = ['a', 'b'].map((name) => ({ type: 'contact.updated', data: { contact: { email: `${name}-key@example.com` } } }));
  const first = await report({ events }, 'key-1');
  expect(first.body.data).toMatchObject([
    { id: 'key-1:0', status: 'accepted' },
    { id: 'key-1:1', status: 'accepted' },
  ]);
  expect((await report({ events }, 'key-1')).body).toEqual(first.body);
  // Also where the answer is not kept any more.
  expect((await report({ events: events.map((event, n) => ({ ...event, id: `key-1:${n}` })) })).results).toEqual(['duplicate', 'duplicate']);
  expect((await report({ events }, 'key-2')).results).toEqual(['accepted', 'accepted']);
  expect((await report({ events })).body.data[0]?.id).toMatch(/^api_/);
});

test('what cannot be read is refused with its field, keeps nothing else back, and may be corrected under the same id', async () => {
  const wrong = { id: 'wrong-1', type: 'cart.updated', data: { cart: 'none' } };
  const { body, status } = await report({
    events: [
      wrong,
      { id: 'right-1', type: 'contact.updated', data: { contact: { email: 'right@example.com' } } },
      { type: 'cart.exploded', data: {} },
    ],
  });
  expect(status).toBe(200);
  expect(body.data).toMatchObject([
    { id: 'wrong-1', status: 'refused', fields: expect.arrayContaining([{ field: 'data.cart', reason: 'is no object: left out' }]) },
    { id: 'right-1', status: 'accepted' },
    { status: 'refused', fields: [{ field: 'type', reason: expect.stringContaining('cart.updated') }] },
  ]);
  expect(await askAll(shop, shop.tenant.apiKey, '/api/quarantine')).toEqual([]);
  expect((await report({ ...wrong, data: aCart('right-2', 'right@example.com', {}) })).results).toEqual(['accepted']);
});

test('a request that is no list of events names what is wrong', async () => {
  const refused = async (payload: Record<string, unknown>) => {
    const { status, body } = await report(payload);
    return [status, body.errors?.[0]?.path];
  };
  expect(await refused({ events: [] })).toEqual([400, 'body/events']);
  expect(await refused({ events: [{ type: 'cart.updated' }] })).toEqual([400, 'body/events/0/data']);
  expect(await refused({ type: 'cart.updated', data: {}, when: 'now' })).toEqual([400, 'body/events/0/when']);
  expect(await refused({ events: Array.from({ length: 101 }, () => ({ type: 'cart.updated', data: {} })) })).toEqual([400, 'body/events']);
});

test('it needs a connection of the integration generic, and takes no other store’s', async () => {
  const event = { type: 'contact.updated', data: { contact: { email: 'x@example.com' } } };
  const [own] = await askAll<{ id: string; integration: string }>(shop, shop.tenant.apiKey, '/api/connections');
  const before = await ask(shop, other.apiKey, '/api/events', 'POST', { ...event, connection: own?.id });
  expect([before.status, (before.body as { code: string }).code]).toEqual([404, 'unknown_connection']);
  for (const { id } of await askAll<{ id: string }>(shop, other.apiKey, '/api/connections'))
    await ask(shop, other.apiKey, `/api/connections/${id}`, 'DELETE');
  const none = await ask(shop, other.apiKey, '/api/events', 'POST', event);
  expect([none.status, (none.body as { code: string }).code]).toEqual([409, 'no_connection']);
});
