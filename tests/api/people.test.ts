import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aCart, openShop, type Shop } from '../helpers/shop.ts';
import { anotherStore, ask, askAll, leaveCart, type Method, sendFirstMail } from './left-carts.ts';

// People, what they are in a sequence about, and what is recorded of both: docs/rules.md#rule-93

let shop: Shop;
let other: { apiKey: string };
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  other = await anotherStore(shop, 'another-store');
});
afterAll(() => shop.close());
const own = (url: string, method: Method = 'GET', body?: Record<string, unknown>) => ask(shop, shop.tenant.apiKey, url, method, body);
const data = async <T = Record<string, unknown>>(url: string) => ((await own(url)).body as { data: T[] }).data;
const contactOf = async (email: string) => (await data<{ id: string; person: string }>(`/api/contacts?email=${email}`))[0] ?? { id: '', person: '' };

test('a contact is found by its address, its number and any id of the source’s, which comes back', async () => {
  const contact = { id: 'customer-7', email: 'found@example.com', phone: '+12025550107' };
  await shop.post('cart.updated', { cart: { id: 'cart-found', currency: 'EUR', total: '10.00', items: [] }, contact });
  const { id } = await contactOf('found@example.com');
  for (const search of ['phone=%2B12025550107', 'external_id=customer-7', 'external_id=cart-found', 'email=found@example.com&external_id=customer-7'])
    expect(
      (await data<{ id: string }>(`/api/contacts?${search}`)).map((one) => one.id),
      search,
    ).toEqual([id]);
  expect(await data('/api/contacts?email=nobody@example.com&external_id=customer-7')).toEqual([]);
  expect(await own(`/api/contacts/${id}`)).toMatchObject({
    status: 200,
    body: {
      emails: ['found@example.com'],
      phones: ['+12025550107'],
      external_ids: [{ kind: 'customer', value: 'customer-7', integration: 'generic' }],
    },
  });
  expect(await data(`/api/contacts?ids=${randomUUID()},${id}`)).toMatchObject([{ id, emails: ['found@example.com'], phones: ['+12025550107'] }]);
  expect(await own('/api/contacts?ids=7')).toMatchObject({ status: 400 });
  const [subject] = await data<{ id: string }>('/api/subjects?kind=cart&external_id=cart-found');
  expect(subject).toMatchObject({
    kind: 'cart',
    contact: id,
    state: 'open',
    value: '10.00',
    currency: 'EUR',
    external_ids: [{ value: 'cart-found' }],
  });
  expect((await own(`/api/subjects/${subject?.id}`)).body).toEqual(subject);
  expect(await data('/api/subjects?kind=lead&external_id=cart-found')).toEqual([]);
  expect(await own('/api/subjects?phone=x')).toMatchObject({ status: 400, body: { errors: [{ path: 'querystring/phone' }] } });
});

test('a timeline has everything about a person once, in order of time, page by page', async () => {
  const enrollment = await leaveCart(shop, 'cart-story', 'story@example.com');
  await sendFirstMail(shop, enrollment);
  await shop.post('order.placed', {
    order: { id: 'order-story', currency: 'EUR', total: '1.00', cart_id: 'cart-story' },
    contact: { email: 'story@example.com' },
  });
  const { id } = await contactOf('story@example.com');
  await own(`/api/contacts/${id}/consents`, 'POST', { channel: 'email', state: 'granted', wording: 'Yes, write to me.' });
  const whole = await data<{ id: string; kind: string; at: string; sentence: string }>(`/api/contacts/${id}/timeline?limit=500`);
  expect(new Set(whole.map(({ kind }) => kind))).toEqual(new Set(['enrollment', 'event', 'decision', 'message', 'order', 'consent']));
  expect(whole.map(({ at }) => at)).toEqual(
    whole
      .map(({ at }) => at)
      .toSorted()
      .toReversed(),
  );
  for (const { sentence } of whole) expect(sentence).toMatch(/\S{2}/);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 7 }), async (limit) => {
      expect(await askAll(shop, shop.tenant.apiKey, `/api/contacts/${id}/timeline?limit=${limit}`)).toEqual(whole);
    }),
    { numRuns: 5 },
  );
  expect(await data(`/api/contacts/${id}/timeline?kind=message`)).toEqual(whole.filter(({ kind }) => kind === 'message'));

  const messages = await data(`/api/messages?contact=${id}&channel=email&state=sent`);
  expect(messages).toMatchObject([
    { enrollment, step: 'email_2h', sequence: 'cart', subject: { kind: 'cart', external_ids: [{ value: 'cart-story' }] } },
  ]);
  expect(await data(`/api/messages?enrollment=${enrollment}&since=2999-01-01T00:00:00Z`)).toEqual([]);
  const decisions = await data<{ verdict: string; step: string }>(`/api/decisions?enrollment=${enrollment}&verdict=send`);
  expect(decisions).toMatchObject([{ step: 'email_2h', reason: 'email', sequence: 'cart', gates: expect.any(Array) as unknown }]);
  expect(await data(`/api/decisions?contact=${id}&step=email_2h`)).toEqual(decisions);
});

describe('a merge by hand', () => {
  const twoPeople = async () => {
    const name = randomUUID();
    for (const n of [1, 2]) await shop.post('cart.updated', aCart(`cart-${name}-${n}`, `${name}-${n}@example.com`));
    return { name, one: await contactOf(`${name}-1@example.com`), two: await contactOf(`${name}-2@example.com`) };
  };

  test('makes one person of two, is listed, and is undone', async () => {
    const { one, two, name } = await twoPeople();
    const merged = await own(`/api/contacts/${two.id}/merge`, 'POST', { with: one.id, note: 'she said so' });
    expect(merged).toMatchObject({ status: 200, body: { kept_contact: one.id, merged_contact: two.id, brought_by: 'hand', undone_at: null } });
    expect((await data<{ person: string }>(`/api/contacts?email=${name}-2@example.com`)).map(({ person }) => person)).toEqual([one.id, one.id]);
    expect(await data(`/api/contacts/merges?email=${name}-1@example.com`)).toEqual([merged.body]);
    expect(await own(`/api/contacts/${one.id}/merge`, 'POST', { with: two.id })).toMatchObject({ status: 409, body: { code: 'already_one' } });
    expect(await own(`/api/contacts/${two.id}/unmerge`, 'POST', {})).toMatchObject({ status: 200, body: { id: (merged.body as { id: string }).id } });
    expect((await contactOf(`${name}-2@example.com`)).person).toBe(two.id);
    expect(await own(`/api/contacts/${one.id}/merge`, 'POST', { with: two.id })).toMatchObject({ status: 409, body: { code: 'kept_apart' } });
    expect((await data<{ action: string; data: unknown }>('/api/audit?action=contact.merge')).at(0)).toMatchObject({ subject: two.id });
  });

  test('brings an opt-out of one to what runs for the other', async () => {
    const { one, two, name } = await twoPeople();
    await shop.post('contact.opted_out', { contact: { email: `${name}-1@example.com` } });
    expect(await own(`/api/contacts/${two.id}/merge`, 'POST', { with: one.id })).toMatchObject({ status: 200 });
    expect(await shop.enrollmentOf(`cart-${name}-2`)).toMatchObject({ status: 'EXITED' });
  });

  test('of many at once is one merge', async () => {
    const { one, two, name } = await twoPeople();
    const answers = await Promise.all(
      [...Array(4)].map((_, n) => own(`/api/contacts/${n % 2 === 0 ? one.id : two.id}/merge`, 'POST', { with: n % 2 === 0 ? two.id : one.id })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const { status } of answers) expect([200, 409]).toContain(status);
    expect(await data(`/api/contacts/merges?email=${name}-1@example.com`)).toHaveLength(1);
  });
});

describe('a consent by hand', () => {
  test('is recorded with its proof; a refusal ends what runs, an agreement opens what the person had closed', async () => {
    await shop.post('cart.updated', aCart('cart-consent', 'consent@example.com'));
    const { id } = await contactOf('consent@example.com');
    const say = (body: Record<string, unknown>) => own(`/api/contacts/${id}/consents`, 'POST', body);
    expect(await say({ channel: 'all', state: 'denied', note: 'on the phone' })).toMatchObject({
      status: 201,
      body: { state: 'denied', channel: 'all', basis: 'person', source: 'by_hand' },
    });
    expect(await shop.enrollmentOf('cart-consent')).toMatchObject({ status: 'EXITED', stopReason: 'opted_out' });
    const closed = () => data<{ lifted_at: string | null }>('/api/suppressions?email=consent@example.com');
    expect((await closed()).length).toBeGreaterThan(0);
    const agreed = {
      channel: 'email',
      state: 'granted',
      wording: 'You may write to me.',
      wording_version: 'v2',
      url: 'https://shop.example.com/form',
    };
    expect(await say(agreed)).toMatchObject({
      status: 201,
      body: { wording: 'You may write to me.', wording_version: 'v2', url: 'https://shop.example.com/form' },
    });
    expect(await own('/api/enrollments', 'POST', { external_id: 'cart-consent' })).toMatchObject({ status: 201 });
    expect((await data<{ state: string }>('/api/consents?email=consent@example.com')).map(({ state }) => state)).toEqual(['granted', 'denied']);
  });

  test('of the wrong shape says what is missing', async () => {
    const { id } = await contactOf('consent@example.com');
    for (const [body, path] of [
      [{ channel: 'email', state: 'granted' }, 'body/wording'],
      [{ channel: 'all', state: 'granted', wording: 'x' }, 'body/channel'],
      [{ channel: 'email', state: 'denied', stated_at: '2999-01-01T00:00:00Z' }, 'body/stated_at'],
    ] as const)
      expect(await own(`/api/contacts/${id}/consents`, 'POST', body)).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  });
});

test('what is another store’s is not there', async () => {
  const { id } = await contactOf('consent@example.com');
  const [subject] = await data<{ id: string }>('/api/subjects');
  const theirs = (url: string, method: Method = 'GET', body?: Record<string, unknown>) => ask(shop, other.apiKey, url, method, body);
  for (const url of [`/api/contacts/${id}`, `/api/contacts/${id}/timeline`, `/api/subjects/${subject?.id}`])
    expect((await theirs(url)).status, url).toBe(404);
  expect((await theirs(`/api/contacts/${id}/merge`, 'POST', { with: id })).status).toBe(404);
  expect((await theirs(`/api/contacts/${id}/consents`, 'POST', { channel: 'all', state: 'denied' })).status).toBe(404);
  for (const list of [`/api/messages?contact=${id}`, `/api/decisions?contact=${id}`, '/api/messages', '/api/decisions', '/api/subjects'])
    expect((await theirs(list)).body, list).toEqual({ data: [], nextCursor: null });
});
