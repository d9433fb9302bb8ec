import { gzipSync } from 'node:zlib';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contactIdentities, contacts, popups } from '../../db/schema/index.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { explainEnrollment } from '../../operations/read/explain.ts';
import { connectSite, type Site } from '../helpers/a-site.ts';
import { aCart, letTimePass, openShop, type Shop } from '../helpers/shop.ts';

// The pop-up from the page view to the ledger, on real Postgres: docs/rules.md#rule-45

const minuteMs = 60_000;
let shop: Shop;
let site: Site;
let counter = 0;

beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  site = await connectSite(shop);
});
afterAll(() => shop.close());

const dispatch = (enrollmentId: string, stepId: string) => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId });
const inTenant = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);
const rowOf = async (id: string, step = 'popup_1h') => (await shop.ledgerOf(id)).find((m) => m.stepId === step);

/** A cart that was left a good hour ago. `seen`: its browser has viewed a page since. */
async function left({ seen = true, email = `onsite-${++counter}@example.com` as string | null } = {}) {
  const cart = `onsite-cart-${++counter}`;
  await shop.post('cart.updated', aCart(cart, email), { at: Date.now() - 70 * minuteMs });
  if (seen) expect((await site.view(cart)).popup).toBeNull();
  const { id = '' } = (await shop.enrollmentOf(cart)) ?? {};
  return { cart, id, email: email ?? '' };
}

/** The same, and its pop-up waits. */
async function armed() {
  const one = await left();
  await dispatch(one.id, 'popup_1h');
  expect(await rowOf(one.id)).toMatchObject({ state: 'sent', channel: 'onsite', openedAt: null });
  return one;
}

describe('a cart whose browser was seen', () => {
  test('gets its pop-up at the next page view, once', async () => {
    const { cart, id } = await armed();
    const { popup, headers } = await site.view(cart);
    expect(headers['access-control-allow-origin']).toBe('https://shop.example.com');
    expect(headers['set-cookie']).toBeUndefined();
    expect(popup).toMatchObject({ heading: 'Still interested in Walnut desk lamp?', cta: 'Back to my cart', label: 'Demo' });
    expect(popup?.text).not.toMatch(/Ada|%|discount/);
    // Given to one page, it is given to no other that is opened meanwhile.
    expect((await site.view(cart)).popup).toBeNull();
    expect(await site.report(popup?.token ?? '', 'shown')).toBe(204);
    expect(await site.report(popup?.token ?? '', 'shown')).toBe(204);
    await letTimePass(shop, minuteMs);
    expect((await site.view(cart)).popup).toBeNull();
    const explained = await explainEnrollment(shop.deps, shop.tenant.tenantId, id);
    const sentences = explained?.entries.map((e) => e.sentence) ?? [];
    expect(sentences).toContain('popup_1h waits for the shopper’s next page view, in English.');
    expect(sentences.filter((s) => s === 'popup_1h was shown on the page.')).toHaveLength(1);
    expect((await rowOf(id))?.openedAt).not.toBeNull();
  });

  test('a page that was left before it showed the pop-up gives it back', async () => {
    const { cart } = await armed();
    expect((await site.view(cart)).popup).not.toBeNull();
    await letTimePass(shop, minuteMs);
    expect((await site.view(cart)).popup).not.toBeNull();
  });

  test('a click leads back to the cart and counts', async () => {
    const { cart, id } = await armed();
    const { popup } = await site.view(cart);
    const path = new URL(popup?.url ?? '').pathname;
    const answer = await shop.app.inject({ url: path, headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Chrome/142.0 Safari/537.36' } });
    expect(answer.headers.location).toBe(`https://shop.example.com/restore/${cart}`);
    expect((await rowOf(id))?.clickedAt).not.toBeNull();
  });

  test('closed stands in the story, and figures count it as shown, not as clicked', async () => {
    const { cart, id } = await armed();
    const { popup } = await site.view(cart);
    expect(await site.report(popup?.token ?? '', 'closed')).toBe(204);
    const row = await rowOf(id);
    expect([row?.openedAt === null, row?.clickedAt === null]).toEqual([false, true]);
    const [stored] = await inTenant((tx) => tx.select().from(popups).where(eq(popups.enrollmentId, id)));
    expect(stored?.closedAt).not.toBeNull();
  });
});

describe('a pop-up that waits is gone', () => {
  const cases: [string, (one: { cart: string; id: string; email: string }) => Promise<unknown>][] = [
    ['after the purchase', ({ cart }) => shop.post('order.placed', { order: { id: `o-${cart}`, currency: 'EUR', total: '129.90' }, cart_id: cart })],
    ['after an opt-out', ({ email }) => shop.post('contact.opted_out', { contact: { email }, channel: 'email' })],
    ['after a reply', ({ email }) => shop.post('message.received', { contact: { email }, channel: 'email', text: 'Is it in stock?' })],
    ['after the cart was emptied', ({ cart, email }) => shop.post('cart.updated', aCart(cart, email, { items: [], total: '0' }))],
    [
      'once the email that it gives way to is sent',
      async ({ id }) => {
        // The shopper is on the site: half an hour later they are not.
        await letTimePass(shop, 61 * minuteMs);
        await dispatch(id, 'email_2h');
        expect(await rowOf(id, 'email_2h')).toMatchObject({ state: 'sent' });
      },
    ],
    [
      'after a stop by hand',
      ({ id }) =>
        shop.app.inject({
          method: 'POST',
          url: `/recovery/sequences/${id}/stop?reason=test`,
          headers: { authorization: `Bearer ${shop.tenant.apiKey}` },
        }),
    ],
  ];
  test.each(cases)('%s', async (_when, event) => {
    const one = await armed();
    const answer = await event(one);
    expect(answer).not.toMatchObject({ statusCode: 400 });
    expect((await site.view(one.cart)).popup).toBeNull();
  });
});

test('without a page view since, the step is skipped: nobody can be reached there', async () => {
  const { id } = await left({ seen: false });
  await dispatch(id, 'popup_1h');
  expect(await rowOf(id)).toMatchObject({ state: 'skipped', skipReason: 'no_address' });
});

test('a page view is a sign of life: an email that is due waits for half an hour', async () => {
  const { id, cart } = await left();
  await letTimePass(shop, 55 * minuteMs);
  await site.view(cart);
  const result = await dispatch(id, 'email_2h');
  expect(result).toMatchObject({ kind: 'done', note: 'deferred: active_now' });
});

test('a cart that nobody gave an address for begins its sequence when its browser is seen, and goes on by email once there is one', async () => {
  const { cart, id } = await left({ email: null });
  expect(id).not.toBe('');
  await dispatch(id, 'popup_1h');
  expect((await site.view(cart)).popup).not.toBeNull();
  // The address is typed in: the anonymous contact turns out to be its person.
  await shop.post('cart.updated', aCart(cart, 'typed-later@example.com'));
  const [owner] = await inTenant((tx) =>
    tx
      .select({ personId: contacts.personId })
      .from(contacts)
      .innerJoin(contactIdentities, eq(contactIdentities.contactId, contacts.id))
      .where(eq(contactIdentities.value, 'typed-later@example.com')),
  );
  const known = await inTenant((tx) =>
    tx
      .select({ kind: contactIdentities.kind })
      .from(contactIdentities)
      .innerJoin(contacts, eq(contacts.id, contactIdentities.contactId))
      .where(eq(contacts.personId, owner?.personId ?? '')),
  );
  expect(known.map(({ kind }) => kind).sort()).toEqual(['email', 'visitor']);
});

describe('whoever has no token', () => {
  test('learns nothing and changes nothing, whatever they name', async () => {
    const { cart, id } = await armed();
    const before = await inTenant((tx) => tx.select().from(contacts));
    await letTimePass(shop, 5 * minuteMs);
    const seen = async () => (await inTenant((tx) => tx.select().from(contacts))).map(({ lastSeenAt }) => lastSeenAt);
    const seenBefore = await seen();
    const attempts = [
      site.view(cart, { proof: null }),
      site.view(cart, { proof: site.proofOf('another-cart') }),
      site.view(cart, { proof: '' }),
      site.view('no-such-cart'),
      site.view(id),
      site.view("'; drop table popups; --"),
    ];
    for (const { status, popup } of await Promise.all(attempts)) expect([status, popup]).toEqual([200, null]);
    expect(await seen()).toEqual(seenBefore);
    expect(before).toHaveLength(seenBefore.length);
    expect((await site.view(cart)).popup).not.toBeNull();
  });

  test('gets no answer on another site’s page, and programs get no pop-up', async () => {
    const { cart } = await armed();
    const foreign = await site.view(cart, { origin: 'https://evil.example' });
    expect([foreign.status, foreign.popup, foreign.headers['access-control-allow-origin']]).toEqual([403, null, undefined]);
    expect((await site.view(cart, { agent: 'curl/8.0' })).popup).toBeNull();
    expect((await site.view(cart)).popup).not.toBeNull();
  });

  test('cannot report what was not given to them', async () => {
    const { id } = await armed();
    const [message] = await shop.ledgerOf(id);
    const clickToken = shop.deps.links.sign({ purpose: 'click', tenantId: shop.tenant.tenantId, messageId: message?.id ?? '' });
    expect(await site.report(clickToken, 'shown')).toBe(404);
    expect(await site.report('a'.repeat(64), 'shown')).toBe(404);
    expect(
      await site.report(shop.deps.links.sign({ purpose: 'popup', tenantId: shop.tenant.tenantId, messageId: message?.id ?? '' }), 'bought'),
    ).toBe(400);
    expect((await rowOf(id))?.openedAt).toBeNull();
  });

  test.each(['not json', '[]', 'null', '{"key":1}', JSON.stringify({ key: 'x'.repeat(5_000) })])(
    '%s is answered without an error',
    async (payload) => {
      const answer = await shop.app.inject({ method: 'POST', url: '/onsite/views', headers: { 'content-type': 'text/plain' }, payload });
      expect([400, 413]).toContain(answer.statusCode);
    },
  );
});

test('another store’s key finds no cart of this one', async () => {
  const { cart } = await armed();
  const other = await openShop({ timeScale: 1, database: { ...shop.database, drop: async () => undefined } });
  try {
    const theirs = await connectSite(other);
    expect((await theirs.view(cart, { proof: site.proofOf(cart) })).popup).toBeNull();
  } finally {
    await other.close();
  }
});

test('a Shopify cart is known by its token alone, with the key that the cart API adds to it', async () => {
  const token = 'hWN5a1b2c3d4e5f60718293a4b5c6d7e';
  const at = new Date(Date.now() - 70 * minuteMs).toISOString();
  await shop.shopify('checkouts/create', {
    token: 'f00dfeedf00dfeedf00dfeedf00dfeed',
    cart_token: token,
    email: 'token@example.com',
    currency: 'EUR',
    total_price: '20.00',
    line_items: [{ title: 'Enamel mug', quantity: 1, price: '20.00' }],
    created_at: at,
    updated_at: at,
  });
  await site.view(`${token}?key=824bdj25mhg1242bdb385`, { proof: null });
  const { id = '' } = (await shop.enrollmentOf(token)) ?? {};
  await dispatch(id, 'popup_1h');
  expect((await site.view(token, { proof: null })).popup?.heading).toBe('Still interested in Enamel mug?');
});

test('two carts of one person: each browser sees its own', async () => {
  const email = 'two-browsers@example.com';
  const one = await left({ email });
  const other = await left({ email });
  await dispatch(other.id, 'popup_1h');
  expect((await site.view(one.cart)).popup).toBeNull();
  expect((await site.view(other.cart)).popup).not.toBeNull();
});

test('the script is smaller than 6 KB as it is sent, depends on nothing, and is cached', async () => {
  const answer = await shop.app.inject('/onsite/rekindle.js');
  expect(answer.statusCode).toBe(200);
  expect(answer.headers['content-type']).toBe('text/javascript; charset=utf-8');
  expect(answer.headers['cache-control']).toBe('public, max-age=3600');
  expect(gzipSync(answer.body).length).toBeLessThan(6 * 1024);
  expect(answer.body).not.toMatch(/\bimport\b|\beval\b|innerHTML|document\.cookie|new Function/);
});

test('after an erasure nothing of it is left to be shown', async () => {
  const { cart, id } = await armed();
  const { contactId = '' } = (await shop.enrollmentOf(cart)) ?? {};
  const answer = await shop.app.inject({
    method: 'DELETE',
    url: `/api/contacts/${contactId}`,
    headers: { authorization: `Bearer ${shop.tenant.apiKey}` },
  });
  expect(answer.statusCode).toBe(200);
  expect((await site.view(cart)).popup).toBeNull();
  expect(JSON.stringify(await inTenant((tx) => tx.select().from(popups).where(eq(popups.enrollmentId, id))))).not.toMatch(/lamp/);
});
