import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { DomainEvent } from '../../domain/events.ts';
import type { Delivery, Normalised } from '../../integrations/port.ts';
import { parseExactly } from '../../integrations/read/parse-exactly.ts';
import { integrations } from '../../integrations/index.ts';
import { shopifyReceiver } from '../../integrations/shopify/receive.ts';
import { signShopify } from '../../integrations/shopify/sign.ts';
import { aStore } from '../helpers/a-store.ts';
import { posted } from '../helpers/a-delivery.ts';

const fixtures = new URL('../fixtures/shopify/', import.meta.url);
const secret = 'shpss_an-invented-secret';
const receivedAtMs = Date.UTC(2026, 10, 24, 12);

function deliver(topic: string, raw: string | Buffer, headers: Record<string, string> = {}): Delivery {
  const body = Buffer.from(raw);
  return posted({
    raw: body,
    headers: {
      'x-shopify-topic': topic,
      'x-shopify-hmac-sha256': signShopify(secret, body),
      'x-shopify-webhook-id': 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
      ...headers,
    },
    receivedAtMs,
  });
}

function normalise(topic: string, body: unknown, headers: Record<string, string> = {}): Normalised {
  const raw = typeof body === 'string' ? body : JSON.stringify(body);
  return shopifyReceiver.normalise(deliver(topic, raw, headers), JSON.parse(raw), aStore);
}

function eventOf<T extends DomainEvent['type']>(type: T, normalised: Normalised): Extract<DomainEvent, { type: T }> {
  expect(normalised).toMatchObject({ kind: 'events' });
  const event = normalised.kind === 'events' ? normalised.events.find((e) => e.type === type) : undefined;
  if (event === undefined) throw new Error(`expected ${type}`);
  return event as Extract<DomainEvent, { type: T }>;
}

function fixture(topic: string): string {
  return readFileSync(new URL(`${topic.replace('/', '-')}.json`, fixtures), 'utf8');
}

function changed(topic: string, changes: Record<string, unknown>): unknown {
  return { ...(parseExactly(fixture(topic)) as object), ...changes };
}

test('a connection without a secret accepts no delivery, not even one signed with an empty secret', () => {
  const raw = Buffer.from('{}');
  expect(shopifyReceiver.verify(deliver('carts/update', raw, { 'x-shopify-hmac-sha256': signShopify('', raw) }), [''])).toBe('bad_signature');
});

describe('a checkout', () => {
  test('whose shopper is not known yet is a cart of nobody, with both of its tokens', () => {
    const event = eventOf('cart.updated', normalise('checkouts/create', fixture('checkouts/create')));
    expect(event).toMatchObject({
      occurredAtMs: Date.UTC(2026, 10, 20, 9, 0, 2),
      keys: [
        { kind: 'checkout_token', value: 'b1946ac92492d2347c6235b4d2611184' },
        { kind: 'cart_token', value: 'eeafa272cebfd4b22385bc4b645e762c' },
        { kind: 'checkout_id', value: '981820079255243537' },
      ],
      person: { email: null, phone: null, externalId: null, locale: 'de-AT', consents: [] },
      cart: { createdAtMs: Date.UTC(2026, 10, 20, 9), currency: 'EUR', totalMinor: 12_990 },
    });
    expect(event.cart.restoreUrl).toContain('https://tea.example.com/');
    expect(event.cart.items).toEqual([
      {
        title: 'Assam, second flush',
        variant: '250 g',
        quantity: 2,
        priceMinor: 4_995,
        compareAtMinor: null,
        productId: '788032119674292922',
        variantId: '704912205188288575',
        imageUrl: null,
        productUrl: null,
        stock: null,
      },
      {
        title: 'Tin, brushed steel',
        variant: null,
        quantity: 1,
        priceMinor: 3_000,
        compareAtMinor: null,
        productId: '788032119674292923',
        variantId: '704912205188288576',
        imageUrl: null,
        productUrl: null,
        stock: null,
      },
    ]);
  });

  test('names its shopper once the form is filled in', () => {
    const event = eventOf('cart.updated', normalise('checkouts/update', fixture('checkouts/update')));
    expect(event.person).toEqual({
      email: 'ada@example.com',
      phone: '+436641234567',
      externalId: '7206512345678901234',
      firstName: 'Ada',
      lastName: 'Example',
      locale: 'de-AT',
      timeZone: null,
      country: 'AT',
      region: '9',
      orderCount: 3,
      lifetimeValueMinor: 41_250,
      consents: [
        { channel: 'email', state: 'granted', basis: 'box', atMs: null },
        { channel: 'sms', state: 'granted', basis: 'box', atMs: null },
      ],
    });
    expect(event.cart.items[0]?.imageUrl).toBe('https://cdn.example.com/assam.jpg');
  });

  test('with an unticked box says nothing about marketing', () => {
    const unticked = eventOf(
      'cart.updated',
      normalise('checkouts/update', changed('checkouts/update', { buyer_accepts_marketing: false, buyer_accepts_sms_marketing: false })),
    );
    expect(unticked.person.consents).toEqual([]);
    expect(eventOf('cart.updated', normalise('checkouts/create', fixture('checkouts/create'))).person.consents).toEqual([]);
  });

  test('that was completed says so, and is no order', () => {
    const completed = normalise('checkouts/update', changed('checkouts/update', { completed_at: '2026-11-20T10:19:58+01:00' }));
    expect(completed).toMatchObject({ events: [{ type: 'cart.updated', cart: { completed: true } }] });
    expect(eventOf('cart.updated', normalise('checkouts/update', fixture('checkouts/update'))).cart.completed).toBe(false);
  });

  test.each<[origin: string | null, changes: Record<string, unknown>]>([
    ['web', { source_name: 'web' }],
    ['web', { source_name: '580111' }],
    ['point_of_sale', { source_name: 'pos' }],
    ['point_of_sale', { source_name: 'iphone' }],
    ['point_of_sale', { source_name: 129785 }],
    ['point_of_sale', { source_name: 'web', location_id: 60000000011 }],
    ['point_of_sale', { source_name: 'web', location_id: 60000000011, user_id: 778899 }],
    ['draft', { source_name: 'shopify_draft_order' }],
    ['draft', { source_name: 'web', user_id: 778899 }],
    ['marketplace', { source_name: 'amazon-us' }],
    ['marketplace', { source_name: 'TikTok' }],
    ['other', { source_name: '7654321' }],
    [null, { source_name: null }],
  ])('was filled at %s by %j', (origin, changes) => {
    expect(eventOf('cart.updated', normalise('checkouts/update', changed('checkouts/update', changes))).cart.origin).toBe(origin);
  });

  test('of one second is put in order by when the webhook was triggered', () => {
    const at = (triggeredAt: string) =>
      eventOf('cart.updated', normalise('checkouts/update', fixture('checkouts/update'), { 'x-shopify-triggered-at': triggeredAt }));
    expect(at('2026-11-20T09:04:30.800Z')).toMatchObject({ occurredAtMs: Date.UTC(2026, 10, 20, 9, 4, 30, 800) });
    expect(at('2026-11-20T09:04:30.800Z')).not.toHaveProperty('toTheSecond');
    expect(at('2026-11-20T09:04:31.200Z')).toMatchObject({ occurredAtMs: Date.UTC(2026, 10, 20, 9, 4, 30), toTheSecond: true });
  });

  test.each<[what: string, changes: Record<string, unknown>, priceMinor: number, compareAtMinor: number | null]>([
    ['a compare-at price', { compare_at_price: '59.90' }, 4_995, 5_990],
    ['a compare-at price that is lower', { compare_at_price: '39.90' }, 4_995, null],
    ['allocations', { discount_allocations: [{ amount: '10.00' }, { amount: '5.00' }] }, 4_245, 4_995],
    ['applied discounts', { applied_discounts: [{ amount: '9.90', title: 'TEA' }] }, 4_500, 4_995],
    ['a total discount, told twice', { total_discount: '10.00', discount_allocations: [{ amount: '10.00' }] }, 4_495, 4_995],
    ['a lower line price', { line_price: '80.00' }, 4_000, 4_995],
    ['a discount that is more than the line', { total_discount: '500.00' }, 4_995, null],
  ])('of a line with %s costs what is left, and shows what it was', (_what, changes, priceMinor, compareAtMinor) => {
    const line = { title: 'Assam', quantity: 2, price: '49.95', line_price: '99.90', ...changes };
    const body = changed('checkouts/update', { line_items: [line] });
    expect(eventOf('cart.updated', normalise('checkouts/update', body)).cart.items).toMatchObject([{ priceMinor, compareAtMinor }]);
  });

  test('is in the currency that the shopper saw', () => {
    const body = changed('checkouts/update', { currency: 'EUR', presentment_currency: 'JPY', total_price: '21000' });
    expect(eventOf('cart.updated', normalise('checkouts/update', body)).cart).toMatchObject({ currency: 'JPY', totalMinor: 21_000 });
  });

  test.each([
    ['129.90', 'EUR', 12_990],
    ['129.9', 'EUR', 12_990],
    [129.9, 'EUR', 12_990],
    ['15000', 'JPY', 15_000],
    ['15000.00', 'JPY', 15_000],
    ['1.500', 'KWD', 1_500],
    ['0.295', 'EUR', 30],
  ])('of %s %s is worth %i minor units', (total_price, presentment_currency, totalMinor) => {
    const body = changed('checkouts/create', { total_price, presentment_currency, line_items: [] });
    expect(eventOf('cart.updated', normalise('checkouts/create', body)).cart.totalMinor).toBe(totalMinor);
  });

  test.each<[what: string, changes: Record<string, unknown>, path: string, event: Record<string, unknown>]>([
    ['a total that is no amount', { total_price: 'free' }, 'total_price', { cart: { totalMinor: 12_990 } }],
    ['a negative total', { total_price: '-1.00' }, 'total_price', { cart: { totalMinor: 12_990 } }],
    ['no total', { total_price: null }, 'total_price', { cart: { totalMinor: 12_990 } }],
    ['no currency', { currency: null, presentment_currency: null }, 'currency', { cart: { currency: null, totalMinor: null } }],
    ['an unreadable shown currency', { presentment_currency: 'Taler' }, 'presentment_currency', { cart: { currency: null } }],
    [
      'an endless token',
      { token: 'x'.repeat(256) },
      'token',
      { keys: [{ kind: 'checkout_token', value: expect.stringContaining('sha256:') }, {}, {}] },
    ],
    ['a token that nobody filled in', { token: 'undefined' }, 'token', { keys: [{ kind: 'cart_token' }, { kind: 'checkout_id' }] }],
    ['no key at all', { token: null, cart_token: '', id: 0 }, 'token', { keys: [{ kind: 'cart_of' }] }],
    [
      'a line without a price',
      { line_items: [{ title: 'Tea', quantity: 1, price: '' }] },
      'line_items.0.price',
      { cart: { items: [{ priceMinor: null }] } },
    ],
    ['a line without a quantity', { line_items: [{ title: 'Tea', price: '1.00' }] }, 'line_items.0.quantity', { cart: { items: [{ quantity: 1 }] } }],
    [
      'half a metre',
      { line_items: [{ title: 'Cloth', price: '23.70', quantity: 0.5 }] },
      '',
      { cart: { items: [{ quantity: 0.5, priceMinor: 2_370 }] } },
    ],
    [
      'a discount as a line',
      {
        line_items: [
          { title: 'Tea', price: '1.00', quantity: 1 },
          { title: 'Coupon', price: '-0.10', quantity: 1 },
        ],
      },
      'line_items.1.price',
      { cart: { items: [{ title: 'Tea' }] } },
    ],
    ['lines by PHP', { line_items: { 0: { title: 'Tea', price: '1.00', quantity: '1' } } }, '', { cart: { items: [{ title: 'Tea', quantity: 1 }] } }],
    ['lines that are none', { line_items: 'Tea' }, 'line_items', { cart: { totalMinor: 12_990, items: [] } }],
    ['an odd locale', { customer_locale: 'de_DE' }, '', { person: { locale: 'de-DE' } }],
    ['an empty phone', { phone: '', sms_marketing_phone: '' }, 'phone', { person: { phone: null, email: 'ada@example.com' } }],
    ['a country by name', { shipping_address: { country: 'Deutschland', province: 'Berlin' } }, '', { person: { country: 'DE', region: 'Berlin' } }],
    ['a time as PHP writes it', { updated_at: '2026-11-20 10:04:30' }, 'updated_at', { occurredAtMs: Date.UTC(2026, 10, 20, 9, 4, 30) }],
    ['an unreadable time', { updated_at: 'now', created_at: 0 }, 'updated_at', { occurredAtMs: receivedAtMs }],
  ])('with %s is read, and what was left out or guessed is noted', (_what, changes, path, event) => {
    const normalised = normalise('checkouts/update', changed('checkouts/update', changes));
    expect(normalised).toMatchObject({ kind: 'events', topic: 'checkouts/update', events: [event] });
    if (path !== '' && normalised.kind === 'events') expect(normalised.notes.map((n) => n.field)).toContain(path);
  });

  test('that names nobody and nothing is unreadable', () => {
    const body = changed('checkouts/create', { token: null, cart_token: null, id: null });
    expect(normalise('checkouts/create', body)).toMatchObject({ kind: 'unreadable', mayBeStop: false });
    expect(normalise('checkouts/create', '[1]')).toMatchObject({ kind: 'unreadable', reason: expect.stringContaining('body: is no object') });
  });

  test('whose number without country code is of the country that it names', () => {
    const body = changed('checkouts/update', { sms_marketing_phone: null, phone: '0171 2345678', shipping_address: { country_code: 'DE' } });
    expect(eventOf('cart.updated', normalise('checkouts/update', body)).person.phone).toBe('+491712345678');
  });

  test('keeps nothing that cannot be stored or shown', () => {
    const body = changed('checkouts/update', {
      abandoned_checkout_url: 'javascript:alert(1)',
      line_items: [{ title: `T\u0000ea\ud800${'!'.repeat(600)}`, quantity: 1, price: '1.00', image_url: 'data:image/png;base64,xx' }],
    });
    const { cart } = eventOf('cart.updated', normalise('checkouts/update', body));
    expect(cart.restoreUrl).toBeNull();
    expect(cart.items[0]).toMatchObject({ imageUrl: null });
    expect(cart.items[0]?.title).toMatch(/^T ea !{495}$/);
  });

  test('forgets counts and times that no database holds and no shop means', () => {
    const body = changed('checkouts/update', { created_at: '0000-01-01T00:00:00Z', customer: { id: 1, orders_count: 2_147_483_648 } });
    const event = eventOf('cart.updated', normalise('checkouts/update', body));
    expect(event.cart.createdAtMs).toBe(event.occurredAtMs);
    expect(event.person).toMatchObject({ externalId: '1', orderCount: null });
  });

  test('that is deleted is found by its number alone, to the last digit', () => {
    expect(eventOf('cart.deleted', normalise('checkouts/delete', fixture('checkouts/delete'))).keys).toEqual([
      { kind: 'checkout_id', value: '981820079255243537' },
    ]);
    expect(normalise('checkouts/delete', {})).toMatchObject({ kind: 'unreadable' });
  });
});

describe('a cart', () => {
  test('has no person, and its currency only in its lines', () => {
    const event = eventOf('cart.updated', normalise('carts/update', fixture('carts/update')));
    expect(event).toMatchObject({
      occurredAtMs: Date.UTC(2026, 10, 20, 8, 58, 11, 4),
      keys: [{ kind: 'cart_token', value: 'eeafa272cebfd4b22385bc4b645e762c' }],
      person: { email: null, phone: null, externalId: null, consents: [] },
      cart: { currency: 'EUR', totalMinor: 9_990, restoreUrl: null },
    });
  });

  test('that was emptied is worth nothing in no currency', () => {
    const { cart } = eventOf('cart.updated', normalise('carts/update', changed('carts/update', { line_items: [] })));
    expect(cart).toMatchObject({ currency: 'XXX', totalMinor: 0, items: [] });
  });

  test('is named by its token without the key that storefronts append', () => {
    const body = changed('carts/update', { token: 'hWN2abc?key=4f9c', id: 'hWN2abc?key=4f9c' });
    expect(eventOf('cart.updated', normalise('carts/update', body)).keys).toEqual([{ kind: 'cart_token', value: 'hWN2abc' }]);
  });

  test("whose lines name no currency is of unknown worth, or of the store's currency", () => {
    const body = changed('carts/update', { line_items: [{ title: 'Tea', quantity: 1, price: '1.00' }] });
    expect(eventOf('cart.updated', normalise('carts/update', body)).cart).toMatchObject({
      currency: null,
      totalMinor: null,
      items: [{ title: 'Tea' }],
    });
    const raw = JSON.stringify(body);
    const known = shopifyReceiver.normalise(deliver('carts/update', raw), JSON.parse(raw), { ...aStore, currency: 'EUR' });
    expect(eventOf('cart.updated', known).cart).toMatchObject({ currency: 'EUR', totalMinor: 100 });
  });
});

describe('an order', () => {
  test('names its cart by every key and its buyer', () => {
    const event = eventOf('order.placed', normalise('orders/create', fixture('orders/create')));
    expect(event).toMatchObject({
      occurredAtMs: Date.UTC(2026, 10, 20, 9, 20),
      keys: [
        { kind: 'checkout_token', value: 'b1946ac92492d2347c6235b4d2611184' },
        { kind: 'cart_token', value: 'eeafa272cebfd4b22385bc4b645e762c' },
        { kind: 'checkout_id', value: '981820079255243537' },
      ],
      person: { email: 'ada@example.com', externalId: '7206512345678901234' },
      order: { externalId: '820982911946154508', currency: 'EUR', totalMinor: 13_580 },
    });
  });

  test('that is paid days later is the same order at the same time', () => {
    const created = eventOf('order.placed', normalise('orders/create', fixture('orders/create')));
    const paid = eventOf('order.placed', normalise('orders/paid', fixture('orders/paid')));
    expect(paid).toEqual(created);
  });

  test('without a checkout, as a till writes it, still names its buyer', () => {
    const body = changed('orders/create', {
      checkout_token: null,
      checkout_id: null,
      cart_token: null,
      email: '',
      contact_email: 'ada@example.com',
      customer: null,
    });
    expect(eventOf('order.placed', normalise('orders/create', body))).toMatchObject({ keys: [], person: { email: 'ada@example.com' } });
  });

  test('with hardly any field stops all the same, and its worth is unknown', () => {
    const few = { id: 8214836908066, email: 'wenig.felder@example.com', checkout_token: 'be52fb96' };
    expect(eventOf('order.placed', normalise('orders/create', few))).toMatchObject({
      keys: [{ kind: 'checkout_token', value: 'be52fb96' }],
      person: { email: 'wenig.felder@example.com' },
      order: { externalId: '8214836908066', currency: null, totalMinor: null, products: [], noRevenue: null },
    });
  });

  test.each<[noRevenue: string | null, changes: Record<string, unknown>]>([
    [null, {}],
    ['test', { test: true }],
    ['test', { test: 'true' }],
    ['cancelled', { cancelled_at: '2026-11-20T10:20:00+01:00', cancel_reason: 'customer' }],
    ['cancelled', { cancel_reason: 'customer' }],
    ['declined', { cancelled_at: '2026-11-20T10:20:00+01:00', cancel_reason: 'declined' }],
    ['declined', { financial_status: 'voided' }],
    [null, { cancelled_at: 'rubbish', test: 'perhaps' }],
  ])('is no revenue because %s with %j', (noRevenue, changes) => {
    expect(eventOf('order.placed', normalise('orders/create', changed('orders/create', changes))).order.noRevenue).toBe(noRevenue);
  });

  test('names the products that it is about', () => {
    const body = changed('orders/create', { line_items: [{ title: 'Assam', product_id: 788032119674292922n.toString() }, { product_id: null }, 7] });
    expect(eventOf('order.placed', normalise('orders/create', body)).order.products).toEqual([{ title: 'Assam', productId: '788032119674292922' }]);
  });

  test('that is cancelled days later is the same order, and cancelled', () => {
    const cancelled = normalise('orders/cancelled', fixture('orders/cancelled'));
    expect(eventOf('order.placed', cancelled)).toEqual(eventOf('order.placed', normalise('orders/create', fixture('orders/create'))));
    expect(eventOf('order.cancelled', cancelled)).toEqual({
      type: 'order.cancelled',
      occurredAtMs: Date.UTC(2026, 10, 21, 7),
      toTheSecond: true,
      order: { externalId: '820982911946154508' },
    });
  });

  const updated = {
    current_total_price: '85.85',
    updated_at: '2026-11-22T11:00:00+01:00',
    refunds: [
      {
        id: 929361464,
        processed_at: '2026-11-22T10:58:00+01:00',
        transactions: [
          { kind: 'refund', status: 'success', amount: '40.00', currency: 'EUR' },
          { kind: 'refund', status: 'failure', amount: '9.95', currency: 'EUR' },
          { kind: 'refund', status: 'success', amount: '9.95', currency: 'EUR' },
        ],
      },
      { id: 929361465, transactions: [{ kind: 'refund', status: 'pending', amount: '1.00', currency: 'EUR' }] },
      {
        id: 929361466,
        transactions: [],
        refund_line_items: [{ subtotal: '10.00', total_tax: '2.00' }],
        order_adjustments: [{ amount: '-5.00', tax_amount: '0.00' }],
      },
      'rubbish',
    ],
  };

  test('that was updated says how it stands, and once more that it was placed', () => {
    const read = normalise('orders/updated', changed('orders/create', updated));
    expect(eventOf('order.placed', read)).toEqual(eventOf('order.placed', normalise('orders/create', fixture('orders/create'))));
    expect(eventOf('order.updated', read)).toEqual({
      type: 'order.updated',
      occurredAtMs: Date.UTC(2026, 10, 22, 10),
      toTheSecond: true,
      order: {
        externalId: '820982911946154508',
        currency: 'EUR',
        currentTotalMinor: 8_585,
        refunds: [
          { id: '929361464', amountMinor: 4_995, atMs: Date.UTC(2026, 10, 22, 9, 58) },
          { id: '929361466', amountMinor: 1_700, atMs: receivedAtMs },
        ],
      },
    });
  });

  test('that was refunded is known by its number alone', () => {
    const [refund] = updated.refunds;
    const read = normalise('refunds/create', { ...(refund as object), order_id: 'gid://shopify/Order/820982911946154508' });
    expect(eventOf('order.updated', read)).toMatchObject({
      occurredAtMs: Date.UTC(2026, 10, 22, 9, 58),
      order: { externalId: '820982911946154508', currency: 'EUR', currentTotalMinor: null, refunds: [{ id: '929361464', amountMinor: 4_995 }] },
    });
    expect(normalise('refunds/create', { id: 1 })).toMatchObject({ kind: 'unreadable', mayBeStop: false });
  });

  test.each([
    ['goodwill is no line of the order', [{ kind: 'refund_discrepancy', amount: '-4.00', tax_amount: '-1.00' }], { besidesTotalMinor: 500 }],
    ['a fee was kept', [{ kind: 'refund_discrepancy', amount: '3.00', tax_amount: '0.00' }], { besidesTotalMinor: -300 }],
    ['the shipping is a line of the order', [{ kind: 'shipping_refund', amount: '-4.00', tax_amount: '0.00' }], {}],
    ['nothing is said about it', undefined, {}],
  ])('says what of a refund its current total does not contain: %s', (_why, adjustments, besides) => {
    const refund = {
      id: 1,
      processed_at: '2026-11-22T10:58:00+01:00',
      transactions: [{ kind: 'refund', status: 'success', amount: '49.95', currency: 'EUR' }],
      order_adjustments: adjustments,
    };
    const read = normalise('orders/updated', changed('orders/create', { ...updated, refunds: [refund] }));
    expect(eventOf('order.updated', read).order.refunds).toEqual([{ id: '1', amountMinor: 4_995, atMs: Date.UTC(2026, 10, 22, 9, 58), ...besides }]);
  });

  test("in a foreign currency is refunded in the shop's", () => {
    const refund = {
      id: 1,
      order_id: 2,
      transactions: [{ kind: 'refund', status: 'success', amount: '73.00', currency: 'USD' }],
      refund_line_items: [
        {
          subtotal: '73.00',
          subtotal_set: { shop_money: { amount: '100.00', currency_code: 'CAD' } },
          total_tax_set: { shop_money: { amount: 5, currency_code: 'CAD' } },
        },
      ],
    };
    expect(eventOf('order.updated', normalise('refunds/create', refund)).order).toMatchObject({
      currency: 'CAD',
      refunds: [{ amountMinor: 10_500 }],
    });
  });

  test.each([
    ['orders/create', {}],
    ['orders/updated', {}],
    ['orders/create', { email: 'noreply@tea.example.com', checkout_token: 'null', customer: { id: 0 } }],
  ])('%s that names nobody is a loud fault', (topic, changes) => {
    const blank = {
      checkout_token: null,
      checkout_id: null,
      cart_token: null,
      email: '',
      contact_email: null,
      phone: null,
      customer: null,
      id: null,
    };
    expect(normalise(topic, changed('orders/create', { ...blank, ...changes }))).toMatchObject({ kind: 'unreadable', mayBeStop: true });
  });
});

describe('what the shop has on record', () => {
  const customer = (consent: unknown, more: Record<string, unknown> = {}) => ({
    id: 17,
    email: 'ada@example.com',
    email_marketing_consent: consent,
    ...more,
  });
  const said = '2026-10-19T01:16:16+00:00';

  test.each<[state: string, consents: unknown[], acts: string[]]>([
    ['subscribed', [{ channel: 'email', state: 'granted', basis: 'record', atMs: Date.parse(said) }], []],
    ['SUBSCRIBED', [{ channel: 'email', state: 'granted', basis: 'record', atMs: Date.parse(said) }], []],
    ['unsubscribed', [{ channel: 'email', state: 'denied', basis: 'record', atMs: Date.parse(said) }], ['contact.opted_out']],
    ['redacted', [{ channel: 'email', state: 'denied', basis: 'record', atMs: Date.parse(said) }], []],
    ['not_subscribed', [], []],
    ['pending', [], []],
    ['invalid', [], []],
    ['quite_new', [], []],
  ])('as %s counts in checkouts, orders and customers alike', (state, consents, acts) => {
    const record = customer({ state, opt_in_level: 'single_opt_in', consent_updated_at: said });
    for (const [topic, body, type] of [
      [
        'checkouts/update',
        changed('checkouts/update', { buyer_accepts_marketing: false, buyer_accepts_sms_marketing: false, customer: record }),
        'cart.updated',
      ],
      ['orders/create', changed('orders/create', { buyer_accepts_marketing: false, customer: record }), 'order.placed'],
      ['customers/update', record, 'contact.updated'],
    ] as const) {
      const read = normalise(topic, body);
      const event = eventOf(type, read);
      expect(event.person.consents).toEqual(consents);
      const others = read.kind === 'events' ? read.events.filter((e) => e.type !== type) : [];
      expect(others.map((e) => e.type)).toEqual(acts);
      for (const act of others)
        expect(act).toMatchObject({
          channel: 'email',
          final: false,
          basis: 'record',
          source: 'shop record',
          occurredAtMs: Date.parse(said),
          person: { email: 'ada@example.com', externalId: '17' },
        });
      if ((state === 'pending' || state === 'quite_new') && read.kind === 'events') expect(read.notes).not.toEqual([]);
    }
  });

  test('counts by the older fields where there is no other', () => {
    const older = { accepts_marketing: true, accepts_marketing_updated_at: said, marketing_opt_in_level: 'confirmed_opt_in' };
    const consentsOf = (body: unknown) => eventOf('contact.updated', normalise('customers/create', body)).person.consents;
    expect(consentsOf(customer(undefined, older))).toEqual([{ channel: 'email', state: 'granted', basis: 'record', atMs: Date.parse(said) }]);
    expect(consentsOf(customer(undefined, { ...older, accepts_marketing: false }))).toEqual([]);
    expect(consentsOf(customer({ state: 'not_subscribed' }, older))).toEqual([]);
  });

  test.each<[topic: string, body: unknown, event: Record<string, unknown>]>([
    [
      'customers_email_marketing_consent/update',
      {
        customer_id: 706405506930370084n.toString(),
        email_address: 'ada@example.com',
        email_marketing_consent: { state: 'subscribed', opt_in_level: 'confirmed_opt_in', consent_updated_at: said },
      },
      {
        type: 'contact.opted_in',
        channel: 'email',
        basis: 'record',
        confirmed: true,
        wording: null,
        occurredAtMs: Date.parse(said),
        person: { email: 'ada@example.com', externalId: '706405506930370084' },
      },
    ],
    [
      'customers_email_marketing_consent/update',
      { customer_id: 7, email_address: null, email_marketing_consent: { state: 'unsubscribed', opt_in_level: null, consent_updated_at: null } },
      { type: 'contact.opted_out', channel: 'email', basis: 'record', person: { email: null, externalId: '7' } },
    ],
    [
      'customers_marketing_consent/update',
      {
        id: 7,
        phone: '+436641234567',
        sms_marketing_consent: { state: 'unsubscribed', opt_in_level: 'single_opt_in', consent_updated_at: said, consent_collected_from: 'OTHER' },
      },
      { type: 'contact.opted_out', channel: 'sms', occurredAtMs: Date.parse(said), person: { phone: '+436641234567', externalId: '7' } },
    ],
    [
      'customers_marketing_consent/update',
      { id: 7, phone: null, sms_marketing_consent: { state: 'not_subscribed' } },
      { type: 'contact.updated', person: { externalId: '7', consents: [] } },
    ],
    [
      'customers_marketing_consent/update',
      { id: 7, sms_marketing_consent: { state: 'redacted' } },
      { type: 'contact.updated', person: { consents: [{ state: 'denied', basis: 'record' }] } },
    ],
  ])('is told by %s', (topic, body, event) => {
    expect(normalise(topic, body)).toMatchObject({ kind: 'events', topic, events: [event] });
  });

  test('that names nobody is unreadable, and may be a stop', () => {
    const body = { customer_id: null, email_address: '', email_marketing_consent: { state: 'unsubscribed' } };
    expect(normalise('customers_email_marketing_consent/update', body)).toMatchObject({ kind: 'unreadable', mayBeStop: true });
  });

  test.each(['orders/edited', 'orders/delete', 'customers/delete', 'customers/disable'])('%s is ignored', (topic) => {
    expect(normalise(topic, { id: 1 })).toEqual({ kind: 'ignored', topic });
  });
});

describe('the rest', () => {
  test('privacy requests are recorded with the person they are about', () => {
    expect(eventOf('privacy.requested', normalise('customers/data_request', fixture('customers/data_request')))).toMatchObject({
      topic: 'data_request',
      person: { email: 'ada@example.com', phone: '+436641234567', externalId: '191167' },
    });
    expect(eventOf('privacy.requested', normalise('customers/redact', fixture('customers/redact')))).toMatchObject({
      topic: 'redact',
      person: { email: 'ada@example.com', phone: null, externalId: null },
    });
    expect(eventOf('privacy.requested', normalise('shop/redact', fixture('shop/redact')))).toMatchObject({ topic: 'shop_redact', person: null });
  });

  test('an uninstallation happened when it was triggered, not when the shop last changed', () => {
    const headers = { 'x-shopify-triggered-at': '2026-11-24T11:59:58.123456789Z' };
    expect(eventOf('app.uninstalled', normalise('app/uninstalled', fixture('app/uninstalled'), headers)).occurredAtMs).toBe(
      Date.UTC(2026, 10, 24, 11, 59, 58, 123),
    );
    expect(eventOf('app.uninstalled', normalise('app/uninstalled', fixture('app/uninstalled'))).occurredAtMs).toBe(receivedAtMs);
  });

  test('a clock that runs ahead cannot outlast what follows', () => {
    const event = eventOf('cart.updated', normalise('checkouts/update', changed('checkouts/update', { updated_at: '2099-01-01T00:00:00Z' })));
    expect(event.occurredAtMs).toBe(receivedAtMs);
  });

  test('a delivery without a topic is unreadable', () => {
    expect(shopifyReceiver.reread(posted({ raw: Buffer.from('{}'), headers: {}, receivedAtMs }), aStore)).toMatchObject({
      kind: 'unreadable',
      topic: 'unknown',
      mayBeStop: true,
    });
  });

  test('without a webhook id the event id and topic together recognise a repeat', () => {
    const keyOf = (headers: Record<string, string>) => shopifyReceiver.dedupeKey(posted({ raw: Buffer.alloc(0), headers, receivedAtMs }));
    expect(keyOf({ 'x-shopify-webhook-id': 'w', 'x-shopify-event-id': 'e' })).toBe('w');
    expect(keyOf({ 'x-shopify-event-id': 'e', 'x-shopify-topic': 'carts/update' })).toBe('e:carts/update');
    expect(keyOf({ 'x-shopify-topic': 'carts/update' })).toBeNull();
  });

  test('the registry knows nothing of the prototype', () => {
    expect(integrations['shopify']?.receiver).toBe(shopifyReceiver);
    expect(integrations['constructor']).toBeUndefined();
    expect(integrations['__proto__']).toBeUndefined();
  });
});
