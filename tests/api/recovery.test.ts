import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditLog } from '../../db/schema/index.ts';
import { aCart, letTimePass, openShop, type Shop } from '../helpers/shop.ts';
import { anotherStore, ask, dispatch, leaveCart, sendFirstMail } from './left-carts.ts';

const hourMs = 3_600_000;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1, settings: { postalAddress: '1 Test Street, Vienna' } });
});
afterAll(() => shop.close());

const get = (url: string) => ask(shop, shop.tenant.apiKey, url);
const stop = (id: string, query: string) => ask(shop, shop.tenant.apiKey, `/recovery/sequences/${id}/stop${query}`, 'POST');

test('an active sequence is listed with the merchant’s fields and its cart', async () => {
  const id = await leaveCart(shop, 'cart-fields', 'fields@example.com');
  const before = await get('/recovery/sequences');
  expect(before.body).toMatchObject([{ id, current_step: null, last_step: null, next_step: { id: 'email_2h' }, steps_completed: [] }]);
  await sendFirstMail(shop, id);
  const { body } = await get('/recovery/sequences');
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  const enrollment = await shop.enrollmentOf('cart-fields');
  expect(body).toEqual([
    {
      id,
      cart_id: enrollment?.subjectId,
      sequence_type: 'first_time',
      current_step: 'email_2h',
      last_step: 'email_2h',
      next_step: { id: 'email_24h', at: new Date((enrollment?.anchorAt ?? 0) + 24 * hourMs).toISOString() },
      steps_completed: ['email_2h'],
      started_at: new Date(enrollment?.activatedAt ?? 0).toISOString(),
      completed_at: null,
      stopped_reason: null,
      cart: {
        id: enrollment?.subjectId,
        external_ids: [{ kind: 'external', value: 'cart-fields', integration: 'generic', connection: expect.stringMatching(/^[0-9a-f-]{36}$/) }],
        store: 'Test Store',
        status: 'ABANDONED',
        customer_email: 'fields@example.com',
        currency: 'EUR',
        total_price: '129.90',
        total_price_minor: 12_990,
        when_left: { total_price: '129.90', total_price_minor: 12_990, currency: 'EUR' },
        products: [
          {
            title: 'Walnut desk lamp',
            variant: null,
            quantity: 1,
            price: '129.90',
            price_minor: 12_990,
            image_url: null,
            product_url: 'https://shop.example.com/lamp',
          },
        ],
        restore_link: 'https://shop.example.com/restore/cart-fields',
        abandoned_at: new Date(enrollment?.anchorAt ?? 0).toISOString(),
        last_activity_at: time,
      },
    },
  ]);
  await stop(id, '?reason=done');
});

test('a cart that is not abandoned yet, and one whose sequence has ended, are not listed', async () => {
  await shop.post('cart.updated', aCart('cart-busy', 'busy@example.com'));
  const ended = await leaveCart(shop, 'cart-ended', 'ended@example.com');
  await shop.post('order.placed', { order: { id: 'order-ended', currency: 'EUR', total: '129.90' }, cart_id: 'cart-ended' });
  const ids = ((await get('/recovery/sequences')).body as { id: string }[]).map((s) => s.id);
  expect(ids).not.toContain(ended);
  expect(ids).not.toContain((await shop.enrollmentOf('cart-busy'))?.id);
});

test('sequences that have ended are listed with their ends when asked for', async () => {
  const bought = await leaveCart(shop, 'cart-end-bought', 'end-bought@example.com');
  const stopped = await leaveCart(shop, 'cart-end-stopped', 'end-stopped@example.com');
  const running = await leaveCart(shop, 'cart-end-running', 'end-running@example.com');
  await shop.post('order.placed', { order: { id: 'order-end-bought', currency: 'EUR', total: '129.90' }, cart_id: 'cart-end-bought' });
  await stop(stopped, '?reason=asked+by+phone');
  type Row = { id: string; completed_at: string | null; stopped_reason: string | null; next_step: unknown };
  const listed = async (status: string) => ((await get(`/recovery/sequences?status=${status}`)).body as Row[]).map((row) => [row.id, row] as const);
  const ended = new Map(await listed('ended'));
  const endedAt = new Date((await shop.enrollmentOf('cart-end-bought'))?.endedAt ?? 0).toISOString();
  expect(ended.get(bought)).toMatchObject({ completed_at: endedAt, stopped_reason: 'purchased', next_step: null });
  expect(ended.get(stopped)).toMatchObject({ completed_at: expect.any(String), stopped_reason: 'asked by phone' });
  expect(ended.has(running)).toBe(false);
  expect(new Map(await listed('active')).has(bought)).toBe(false);
  const all = new Map(await listed('all'));
  expect([bought, stopped, running].map((id) => all.has(id))).toEqual([true, true, true]);
  await stop(running, '?reason=done');
});

test('a sequence is started by hand, and nothing that keeps it from starting is an error', async () => {
  await shop.post('cart.updated', aCart('cart-hand', 'hand@example.com'));
  const first = (await shop.enrollmentOf('cart-hand'))?.id ?? '';
  const start = (cartId: unknown) => ask(shop, shop.tenant.apiKey, '/recovery/sequences', 'POST', { cart_id: cartId });
  expect(await start('cart-hand')).toMatchObject({ status: 200, body: { status: 'not_started', id: first, reason: 'already_running' } });
  await stop(first, '?reason=for+a+new+start');
  const started = await start('cart-hand');
  const { id: second } = started.body as { id: string };
  expect(started).toMatchObject({ status: 201, body: { status: 'started', reason: null } });
  expect((await get(`/api/enrollments/${second}`)).body).toMatchObject({ status: 'ACTIVE', cart: { external_ids: [{ value: 'cart-hand' }] } });
  expect(second).not.toBe(first);
  expect(await start('cart-of-nobody')).toMatchObject({ status: 200, body: { status: 'not_started', id: null, reason: 'unknown_cart' } });
  expect(await start('0198c0de-0000-7000-8000-000000000000')).toMatchObject({ status: 200, body: { reason: 'unknown_cart' } });
  await shop.post('order.placed', { order: { id: 'order-hand', currency: 'EUR', total: '129.90' }, cart_id: 'cart-hand' });
  expect(await start('cart-hand')).toMatchObject({ status: 200, body: { status: 'not_started', reason: 'bought' } });
  expect((await start('')).status).toBe(400);
  expect((await start(undefined)).status).toBe(400);
});

test('what happened to the sequences is told once each, in order, to whoever asks for what is new', async () => {
  const id = await leaveCart(shop, 'cart-told', 'told@example.com', { total: '50.00' });
  await sendFirstMail(shop, id);
  await shop.post('order.placed', { order: { id: 'order-told', currency: 'EUR', total: '48.50' }, cart_id: 'cart-told' });
  type Told = { id: string; sequence_id: string; event_type: string };
  const told = async (query = '') => ((await get(`/recovery/events?limit=500${query}`)).body as { data: Told[] }).data;
  const own = (events: Told[]) => events.filter((event) => event.sequence_id === id);
  // What has just happened is shown once nothing can come before it any more.
  expect(own(await told()).map((event) => event.event_type)).toEqual(['sequence_started']);
  await letTimePass(shop, 6_000);
  const events = own(await told());
  expect(events).toMatchObject([
    { event_type: 'sequence_started', cart_value: '50.00', cart_value_minor: 5_000, currency: 'EUR' },
    { event_type: 'email_sent', step: 'email_2h' },
    { event_type: 'cart_recovered', recovered_value: '48.50', recovered_value_minor: 4_850, currency: 'EUR' },
  ]);
  expect(own(await told(`&after=${events[1]?.id}`)).map((event) => event.event_type)).toEqual(['cart_recovered']);
  const other = await anotherStore(shop, 'other-told');
  expect((await ask(shop, other.apiKey, '/recovery/events')).body).toEqual({ data: [], nextCursor: null });
});

test('amounts are exact in currencies without decimals and with three', async () => {
  await leaveCart(shop, 'cart-yen', 'yen@example.com', { currency: 'JPY', total: '4500', items: [] });
  await leaveCart(shop, 'cart-dinar', 'dinar@example.com', { currency: 'KWD', total: '1.005', items: [] });
  const carts = ((await get('/recovery/sequences')).body as { cart: Record<string, unknown> }[]).map(({ cart }) => [
    cart['total_price'],
    cart['total_price_minor'],
  ]);
  expect(carts).toEqual(
    expect.arrayContaining([
      ['4500', 4_500],
      ['1.005', 1_005],
    ]),
  );
});

test.each(['active', 'ended', 'all'])('pages of %s follow each other by Link until the last, which has none', async (status) => {
  for (const n of [1, 2, 3]) await leaveCart(shop, `cart-page-${n}`, `page-${n}@example.com`);
  const all = ((await get(`/recovery/sequences?status=${status}`)).body as { id: string }[]).map((s) => s.id);
  const found: string[] = [];
  for (let url: string | undefined = `/recovery/sequences?limit=2&status=${status}`; url !== undefined; ) {
    const page = await get(url);
    found.push(...(page.body as { id: string }[]).map((s) => s.id));
    url = /<([^>]+)>; rel="next"/.exec(String(page.headers['link'] ?? ''))?.[1];
  }
  expect(found).toEqual(all);
  expect(found.length).toBeGreaterThan(3);
});

test('a stop by hand ends the sequence, keeps the reason as a note, and may be repeated', async () => {
  const id = await leaveCart(shop, 'cart-stop', 'stop@example.com');
  expect(await stop(id, '?reason=purchased')).toMatchObject({ status: 200, body: { status: 'stopped', reason: 'purchased', changed: true } });
  expect(await shop.enrollmentOf('cart-stop')).toMatchObject({ status: 'EXITED', stopReason: 'manual', stopNote: 'purchased' });
  const row = await shop.enrollmentOf('cart-stop');
  const again = await stop(id, '?reason=again');
  expect(again).toMatchObject({
    status: 200,
    body: { status: 'stopped', reason: 'purchased', changed: false, ended_at: new Date(row?.endedAt ?? 0).toISOString() },
  });
  expect((again.body as { detail: string }).detail).toMatch(/^It had ended before; nothing was changed\. .+ by hand\. Its note reads: purchased$/);
  expect((await shop.enrollmentOf('cart-stop'))?.stopNote).toBe('purchased');
  await letTimePass(shop, 2 * hourMs);
  await dispatch(shop, id, 'email_2h');
  expect(shop.smtp.accepted.some((m) => m.envelope.to.includes('stop@example.com'))).toBe(false);
  const audit = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(auditLog));
  expect(audit.filter((a) => a.subject === id).map((a) => a.actor)).toEqual([expect.stringMatching(/^api_key:/), expect.stringMatching(/^api_key:/)]);
});

test('a stop of a sequence that had ended otherwise says how it ended, and does not claim to have stopped it', async () => {
  const id = await leaveCart(shop, 'cart-bought', 'bought@example.com');
  await shop.post('order.placed', { order: { id: 'order-bought', currency: 'EUR', total: '129.90' }, cart_id: 'cart-bought' });
  const { status, body } = await stop(id, '?reason=too+late');
  expect({ status, body }).toMatchObject({ status: 200, body: { status: 'already_ended', reason: 'purchased', changed: false } });
  expect((body as { detail: string }).detail).toMatch(/: the cart was bought\.$/);
  expect(await shop.enrollmentOf('cart-bought')).toMatchObject({ status: 'CONVERTED', stopReason: 'purchased', stopNote: null });
});

test('what a cart was worth when it was left is shown beside what it is worth now', async () => {
  const { body: began } = await shop.post('cart.updated', aCart('cart-worth', 'worth@example.com', { total: '40.00' }), { at: Date.now() - 5_000 });
  expect(began).toMatchObject({ status: 'applied' });
  // Filled further before it counts as abandoned: that is what it was left with.
  const id = await leaveCart(shop, 'cart-worth', 'worth@example.com', { total: '50.00' });
  await letTimePass(shop, 10_000);
  await dispatch(shop, id, 'popup_1h');
  await shop.post('cart.updated', aCart('cart-worth', 'worth@example.com', { total: '35.00' }));
  const cart = { total_price: '35.00', when_left: { total_price: '50.00', currency: 'EUR' } };
  expect((await get(`/api/enrollments/${id}`)).body).toMatchObject({ cart });
  const listed = (await get('/recovery/sequences')).body as { id: string }[];
  expect(listed.find((s) => s.id === id)).toMatchObject({ cart });
  const story = (await get(`/api/enrollments/${id}/explain`)).body as { entries: { type?: string; sentence: string }[] };
  expect(story.entries.find((e) => e.type === 'abandoned')?.sentence).toBe('The cart (EUR 50.00) counts as abandoned: the sequence has begun.');
});

test('a stop needs its reason', async () => {
  const id = await leaveCart(shop, 'cart-reason', 'reason@example.com');
  for (const query of ['', '?reason=', '?reason=%20', '?reason=a%00b', '?reason=a%0Ab', `?reason=${'x'.repeat(501)}`]) {
    expect(await stop(id, query), query.slice(0, 20)).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', errors: [{ path: expect.stringContaining('reason') as unknown }] },
    });
  }
  expect((await shop.enrollmentOf('cart-reason'))?.endedAt).toBeNull();
});

test.each(['limit=0', 'limit=1001', 'limit=many', 'cursor=none'])('/recovery/sequences?%s is refused with problem details', async (query) => {
  const { status, headers, body } = await get(`/recovery/sequences?${query}`);
  expect(status).toBe(400);
  expect(headers['content-type']).toContain('application/problem+json');
  expect(body).toMatchObject({ code: 'invalid_request' });
});

describe('the configuration', () => {
  const put = (payload: Record<string, unknown>) => ask(shop, shop.tenant.apiKey, '/recovery/config', 'PUT', payload);

  test('is shown under a merchant’s names, and what is put is what the settings have', async () => {
    const { body } = await get('/recovery/config');
    expect(body).toMatchObject({
      steps: expect.arrayContaining([
        { id: 'email_2h', delay: '2h', anchor: 'enrollment', channels: ['email'], offer: false },
        { id: 'email_72h', delay: '3d', anchor: 'enrollment', channels: ['email'], offer: true },
      ]),
      ...{ thresholds: { high_value: 500, low_stock: 5, reviews: 4 }, tone: null, language: 'en', offers: null },
    });
    const config = body as Record<string, unknown> & { version: number };
    const wanted = {
      ...config,
      timings: { time_zone: 'Europe/Vienna', quiet_hours: { from: '20:30', to: '24:00' } },
      thresholds: { high_value: 249.99, low_stock: 2, reviews: 4.5 },
      ...{ tone: 'Warm and short', language: 'de-AT', channels: { require_consent: ['email', 'sms'] } },
      offers: { percent_off: 15, minimum_minor: 5_000, budget: { most: 10, within_days: 7 } },
    };
    const { status, body: put1 } = await put(wanted);
    expect(status).toBe(200);
    expect(put1).toMatchObject({
      ...wanted,
      version: config.version + 1,
      offers: { percent_off: 15, valid_hours: 48, source: 'pool', most_carts_left: 2 },
    });
    expect((await get('/recovery/config')).body).toEqual(put1);
    expect(((await get('/api/settings')).body as { settings: object }).settings).toMatchObject({
      ...{ highValueMinor: 24_999, lowStockAt: 2, locale: 'de-AT', brandVoice: 'Warm and short', timeZone: 'Europe/Vienna' },
      quietHours: { fromMinute: 1_230, toMinute: 1_440 },
      offers: { percentOff: 15, minimumMinor: 5_000, budget: { most: 10, withinDays: 7 } },
    });
    // Somebody else has changed it since.
    expect(await put(wanted)).toMatchObject({ status: 409, body: { code: 'stale_version' } });
    expect((await put({ ...config, version: undefined })).status).toBe(200);
  });

  test('other steps are a version of the sequence: it is in use at once, and carts under way stay on theirs', async () => {
    const leave = (cart: string) => leaveCart(shop, cart, `${cart}@example.com`);
    await leave('config-under-way');
    const before = (await get('/recovery/config')).body as { steps: { id: string; delay: string; offer: boolean }[] } & Record<string, unknown>;
    const [popup, email, ...more] = before.steps;
    const steps = [popup, { ...email, delay: '90m' }, ...more.slice(1).map((step) => ({ ...step, offer: false }))];
    expect(await put({ ...before, steps })).toMatchObject({ status: 200, body: { steps } });
    expect((await get('/recovery/config')).body).toMatchObject({ steps });
    const versionOf = async (cart: string) => (await shop.enrollmentOf(cart))?.versionId;
    await leave('config-later');
    expect(await versionOf('config-later')).not.toBe(await versionOf('config-under-way'));
    // The same steps again are no version.
    expect((await put({ ...before, version: undefined, steps })).status).toBe(200);
    await leave('config-last');
    expect(await versionOf('config-last')).toBe(await versionOf('config-later'));
    const without = { ...before, version: undefined, steps: steps.slice(1) };
    // The carts under way wait for the pop-up.
    expect(await put(without)).toMatchObject({ status: 409, body: { code: 'choice_needed' } });
    // What somebody has not published yet does not go along.
    const edited = await ask(shop, shop.tenant.apiKey, '/api/sequences/cart/steps/email_2h', 'PUT', { delayValue: 100 });
    expect(edited.status).toBe(200);
    expect(await put(without)).toMatchObject({ status: 409, body: { code: 'has_draft' } });
    await ask(shop, shop.tenant.apiKey, '/api/sequences/cart/draft', 'DELETE');
  });

  test('what is wrong is named with its field, and nothing is changed', async () => {
    const { body } = await get('/recovery/config');
    const config = body as Record<string, unknown> & { steps: object[]; thresholds: object };
    const pathsOf = async (change: Record<string, unknown>) => {
      const answer = (await put({ ...config, ...change })).body as { code: string; errors: { path: string }[] };
      return [answer.code, ...answer.errors.map(({ path }) => path)];
    };
    expect(await pathsOf({ thresholds: { ...config.thresholds, high_value: -1 } })).toEqual(['invalid_request', 'body/thresholds/high_value']);
    const [first = {}, second = {}] = config.steps;
    expect(await pathsOf({ steps: [{ ...first, id: 'email_9h' }] })).toEqual(['invalid_request', 'body/steps/0/id']);
    expect(await pathsOf({ steps: [first, first] })).toEqual(['invalid_request', 'body/steps/1/id']);
    expect(
      await pathsOf({
        steps: [
          { ...first, delay: 'soon' },
          { ...second, channels: ['pigeon'] },
        ],
      }),
    ).toEqual(['invalid_request', 'body/steps/0/delay', 'body/steps/1/channels']);
    // The pop-up's text is none for an email.
    expect((await pathsOf({ steps: [{ ...first, channels: ['email'] }, ...config.steps.slice(1)] }))[0]).toBe('invalid_request');
    expect(await pathsOf({ steps: [] })).toEqual(['invalid_request', 'body/steps']);
    expect(await pathsOf({ language: 'not a language' })).toEqual(['invalid_request', 'body/language']);
    expect(await pathsOf({ offers: { percent_off: 10, least_margin_percent: 20 } })).toEqual(['invalid_request', 'body/offers/margin_percent']);
    expect(await pathsOf({ timings: { time_zone: 'UTC', quiet_hours: { from: '25:00', to: '08:00' } } })).toEqual([
      'invalid_request',
      'body/timings/quiet_hours/from',
    ]);
    const { tone: _, ...incomplete } = config;
    expect((await put(incomplete)).status).toBe(400);
    expect((await get('/recovery/config')).body).toEqual(body);
  });
});
