import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aCart, openShop, type Shop } from '../helpers/shop.ts';
import { anotherStore, ask, askAll, leaveCart, sendFirstMail } from './left-carts.ts';

// Searches by what the shop knows: an address, a number, its own ids.

let shop: Shop;
let other: { tenantId: string; apiKey: string };
/** Ada's first cart, which was bought; her next, which was left and written about once; and somebody else's. */
const ids = { adaBought: '', ada: '', bob: '' };
beforeAll(async () => {
  shop = await openShop({ timeScale: 1, settings: { country: 'AT' } });
  other = await anotherStore(shop, 'other-store');
  const contact = { email: 'Ada@Example.com', phone: '0660 1234567', id: 'Customer-7' };
  await shop.post('contact.updated', { contact });
  ids.adaBought = await leaveCart(shop, 'cart-ada-2', 'ada@example.com');
  await shop.post('order.placed', { order: { id: 'order-ada', currency: 'EUR', total: '9.00' }, cart_id: 'cart-ada-2' });
  ids.ada = await leaveCart(shop, 'Cart-Ada', 'ada@example.com');
  await sendFirstMail(shop, ids.ada);
  ids.bob = await leaveCart(shop, 'cart-bob', 'bob@example.com');
});
afterAll(() => shop.close());

const get = (url: string) => ask(shop, shop.tenant.apiKey, url);
const found = async (query: string) => {
  const { status, body } = await get(`/api/enrollments?${query}`);
  expect(status).toBe(200);
  return (body as { data: { id: string }[] }).data.map((e) => e.id);
};

describe('GET /api/enrollments finds', () => {
  test.each([
    ['by address, in any capitals', 'email=ADA%40example.COM', ['ada', 'adaBought']],
    ['by number, as people of the country write it', 'phone=0660%2F1234567', ['ada', 'adaBought']],
    ['by number with a plus that nobody escaped', 'phone=+43 660 1234567', ['ada', 'adaBought']],
    ['by the shop’s id of the cart', 'cart_id=Cart-Ada', ['ada']],
    ['by that id in other capitals', 'cart_id=CART-ADA-2', ['adaBought']],
    ['by the shop’s id of the order', 'external_id=order-ada', ['adaBought']],
    ['by the shop’s id of the cart as any id', 'external_id=cart-bob', ['bob']],
    ['by address and status', 'email=ada@example.com&status=ACTIVE', ['ada']],
    ['only what both name', 'email=ada@example.com&cart_id=cart-bob', []],
    ['nobody by an address that nobody has', 'email=nobody@example.com', []],
    ['nobody by an id that no cart has', 'cart_id=nothing', []],
  ] as const)('%s', async (_how, query, expected) => {
    expect(await found(query)).toEqual(expected.map((name) => ids[name]));
  });

  test('by Rekindle’s id of the cart, and gives the shop’s back', async () => {
    const { body } = await get('/api/enrollments?cart_id=Cart-Ada');
    const [first] = (body as { data: { cart: { id: string } }[] }).data;
    expect(first).toMatchObject({ cart: { external_ids: [{ kind: 'external', value: 'Cart-Ada', integration: 'generic' }] } });
    expect(await found(`cart_id=${first?.cart.id.toUpperCase()}`)).toEqual([ids.ada]);
  });

  test('all of them without a search, page by page', async () => {
    const all = await askAll<{ id: string }>(shop, shop.tenant.apiKey, '/api/enrollments?limit=2');
    expect(all.map((e) => e.id)).toEqual(Object.values(ids).toSorted().toReversed());
  });

  test('the last step and the next, each by its own name', async () => {
    const { body } = await get('/api/enrollments?email=ada@example.com');
    const { data } = body as { data: { steps: { id: string; state: string }[] }[] };
    expect(data).toMatchObject([
      { id: ids.ada, status: 'ACTIVE', last_step: 'email_2h', next_step: { id: 'email_24h' } },
      { id: ids.adaBought, status: 'CONVERTED', last_step: null, next_step: null },
    ]);
    const states = data[1]?.steps.map((s) => s.state);
    expect(states).toEqual(['skipped', 'not_sent', 'not_sent', 'not_sent', 'not_sent']);
  });

  test('nothing of another store', async () => {
    for (const query of ['email=ada@example.com', 'cart_id=Cart-Ada', 'external_id=order-ada', ''])
      expect((await ask(shop, other.apiKey, `/api/enrollments?${query}`)).body).toEqual({ data: [], nextCursor: null });
  });

  test.each(['email=ada', 'phone=12', 'email=', 'cart_id=%00', 'limit=101', 'status=open', 'cursor=nonsense'])(
    '%s is refused with the field',
    async (query) => {
      const { status, body } = await get(`/api/enrollments?${query}`);
      expect(status).toBe(400);
      expect(body).toMatchObject({ code: 'invalid_request', errors: [{ path: expect.stringContaining(query.split('=')[0] ?? '') as unknown }] });
    },
  );
});

describe('GET /api/explain', () => {
  test('shows the whole story to a search by address', async () => {
    const { status, body } = await get('/api/explain?email=ada@example.com');
    expect(status).toBe(200);
    const { explanations, more } = body as { explanations: { enrollment: { id: string; summary: string }; entries: unknown[] }[]; more: boolean };
    expect(explanations.map((e) => e.enrollment.id)).toEqual([ids.ada, ids.adaBought]);
    expect(explanations[1]?.enrollment.summary).toMatch(
      /^The sequence was stopped \S+ \S+ UTC: the cart was bought\. No messages went out, 5 steps were not sent\.$/,
    );
    expect(explanations[0]?.enrollment.summary).toMatch(/^The sequence is running: 1 message went out; email_24h is next, due \S+ \S+ UTC\.$/);
    expect(more).toBe(false);
  });

  test('names the carts about which nothing ran, and what is certain of why', async () => {
    await shop.post('cart.updated', aCart('cart-nameless', null));
    await shop.post('order.placed', { order: { id: 'order-first', currency: 'EUR', total: '9.00' }, cart_id: 'cart-first-bought' });
    const sentences = async (cart: string) =>
      ((await get(`/api/explain?cart_id=${cart}`)).body as { carts_without_sequence: { sentence: string }[] }).carts_without_sequence.map(
        (c) => c.sentence,
      );
    expect(await sentences('cart-nameless')).toEqual(['No sequence was begun about this cart: no address or number of its shopper is known.']);
    expect(await sentences('cart-first-bought')).toEqual(['No sequence was begun about this cart: it was bought.']);
    expect(await sentences('Cart-Ada')).toEqual([]);
    await shop.post('contact.opted_out', { contact: { email: 'closed@example.com' }, channel: 'all' });
    await shop.post('cart.updated', aCart('cart-closed', 'closed@example.com'));
    expect(await sentences('cart-closed')).toEqual(['No sequence was begun about this cart: marketing to its shopper is closed.']);
    await shop.post('cart.updated', { ...aCart('cart-number', null), contact: { phone: '+436609876543' } });
    expect(await sentences('cart-number')).toEqual([
      'No sequence was begun about this cart: no address of its shopper is known that a sequence could write to.',
    ]);
    await shop.post('cart.updated', aCart('cart-samples', 'samples@example.com', { total: '0.00', items: [] }));
    expect(await sentences('cart-samples')).toEqual(['No sequence was begun about this cart: there is nothing in it that costs anything.']);
  });

  test('asks whom it is about', async () => {
    const fields = ['email', 'phone', 'subject_id', 'external_id'].map((field) => ({ path: `querystring/${field}` }));
    expect(await get('/api/explain')).toMatchObject({ status: 400, body: { code: 'invalid_request', errors: fields } });
    expect(await get('/api/explain?mail=x&fone=y')).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'querystring/mail' }, { path: 'querystring/fone' }] },
    });
  });
});
