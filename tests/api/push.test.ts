import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { consents, contactIdentities, contacts, suppressions } from '../../db/schema/index.ts';
import { compilePreset, publishPreset } from '../../operations/publish-sequence.ts';
import { connectSite, type Site } from '../helpers/a-site.ts';
import { aBrowser } from '../helpers/push-browser.ts';
import { aCart, letTimePass, openShop, type Shop } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { pushDialect } from '../integrations/web-push/conformance.ts';
import { ask, dispatch } from './left-carts.ts';

// Notifications, from the permission in a browser to the push service, on real Postgres: docs/rules.md#rule-86

const hourMs = 3_600_000;
let shop: Shop;
let site: Site;
let far: StubProvider;
let connection = '';
let counter = 0;

const yaml = `sequence: cart
name: Cart
on: cart.abandoned
quietFor: 1h
steps:
  - id: push_2h
    at: 2h
    channel: push
    content: cart/nudge
  - id: email_24h
    at: 24h
    channel: email
    content: cart/nudge
`;
const copy = {
  'cart/nudge.push': {
    file: 'nudge.push.liquid',
    text: '---\ntitle: Still in your basket\n---\n{% if firstName %}{{ firstName }}, it{% else %}It{% endif %} is saved for you.\n',
  },
  'cart/nudge': { file: 'nudge.liquid', text: '---\nsubject: It waits\npreheader: It waits\nheading: Hello\ncta: Go on\n---\nHello.\n\n[cart]\n' },
};

beforeAll(async () => {
  far = await startStubProvider(false, pushDialect);
  shop = await openShop({ timeScale: 1 });
  site = await connectSite(shop);
  await publishPreset(shop.deps, shop.tenant.tenantId, await compilePreset({ file: 'cart.yaml', yaml, copy }));
  expect((await site.view('nobody')).pushKey).toBeNull();
  const config = { contact: 'mailto:push@example.com', baseUrl: `http://127.0.0.1:${far.port}` };
  const made = await api('/api/connections', 'POST', { integration: 'web-push', name: 'Notifications', config });
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  connection = (made.body as { id: string }).id;
});
afterAll(async () => {
  await shop.close();
  await far.stop();
});

const api = (path: string, method: 'GET' | 'POST' | 'PATCH' = 'GET', body?: Record<string, unknown>) =>
  ask(shop, shop.tenant.apiKey, path, method, body);
const inTenant = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);
const rowOf = async (id: string) => (await shop.ledgerOf(id)).find((m) => m.stepId === 'push_2h');

/** A cart that was left two hours ago. */
async function left(email = `push-${++counter}@example.com`) {
  const cart = `push-cart-${++counter}`;
  await shop.post('cart.updated', aCart(cart, email), { at: Date.now() - 2.1 * hourMs });
  const { id = '', contactId = '' } = (await shop.enrollmentOf(cart)) ?? {};
  return { cart, id, contactId, email };
}
const pushIdentities = (contactId: string) =>
  inTenant((tx) => tx.select().from(contactIdentities).where(eq(contactIdentities.contactId, contactId))).then((rows) =>
    rows.filter(({ kind }) => kind === 'push'),
  );

describe('a browser that holds a cart and has allowed notifications', () => {
  test('is told about that cart, without a name, and a tap leads back to it', async () => {
    const { cart, id, contactId } = await left();
    const browser = aBrowser();
    const { pushKey } = await site.view(cart, { subscription: browser.subscription });
    expect(pushKey).toMatch(/^B[\w-]{86}$/);
    await site.view(cart, { subscription: browser.subscription });
    expect(await pushIdentities(contactId)).toHaveLength(1);
    const said = await inTenant((tx) => tx.select().from(consents).where(eq(consents.contactId, contactId)));
    expect(said.filter(({ channel }) => channel === 'push')).toMatchObject([{ state: 'granted', source: 'browser', basis: 'person' }]);

    await letTimePass(shop, 31 * 60_000);
    await dispatch(shop, id, 'push_2h');
    const row = await rowOf(id);
    expect(row).toMatchObject({ state: 'sent', channel: 'push', payload: { title: '[Demo] Still in your basket', text: 'It is saved for you.' } });
    const url = row?.payload?.channel === 'push' ? row.payload.url : '';
    const answer = await shop.app.inject({
      url: new URL(url).pathname,
      headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Chrome/142.0 Safari/537.36' },
    });
    expect(answer.headers.location).toBe(`https://shop.example.com/restore/${cart}`);
    expect((await rowOf(id))?.clickedAt).not.toBeNull();
  });

  test('hears nothing about another cart of the person whose address was typed in', async () => {
    const email = 'victim@example.com';
    const theirs = await left(email);
    const typed = await left(email);
    await site.view(typed.cart, { subscription: aBrowser().subscription });
    await letTimePass(shop, 31 * 60_000);
    const before = far.accepted.length;
    await dispatch(shop, theirs.id, 'push_2h');
    expect((await rowOf(theirs.id))?.state ?? 'skipped').toBe('skipped');
    expect(far.accepted).toHaveLength(before);
  });

  test('that gave its subscription up is asked no more', async () => {
    const { cart, id } = await left();
    await site.view(cart, { subscription: aBrowser().subscription });
    await letTimePass(shop, 31 * 60_000);
    far.nextOnly({ act: 'answer', status: 410 });
    await dispatch(shop, id, 'push_2h');
    const row = await rowOf(id);
    expect(row?.state).not.toBe('sent');
    const stored = await inTenant((tx) => tx.select().from(suppressions));
    expect(stored.filter(({ channel }) => channel === 'push' || channel === 'all').map(({ reason }) => reason)).toContain('refused');
  });

  test.each([
    ['of a push service that is not known', { endpoint: 'https://169.254.169.254/x', keys: aBrowser().subscription.keys }],
    ['with a key that is none', { endpoint: 'https://fcm.googleapis.com/x', keys: { p256dh: 'short', auth: 'short' } }],
  ])('brings nothing with a subscription %s, and its view counts', async (_what, subscription) => {
    const { cart, contactId } = await left();
    expect((await site.view(cart, { subscription })).status).toBe(200);
    expect(await pushIdentities(contactId)).toEqual([]);
    const [owner] = await inTenant((tx) => tx.select().from(contacts).where(eq(contacts.id, contactId)));
    expect(owner?.lastSeenAt).not.toBeNull();
  });

  test('brings at most five subscriptions for one cart', async () => {
    const { cart, contactId } = await left();
    for (let n = 0; n < 7; n++) await site.view(cart, { subscription: aBrowser(`https://fcm.googleapis.com/fcm/send/${n}`).subscription });
    expect(await pushIdentities(contactId)).toHaveLength(5);
  });
});

test('a cart that is not proven subscribes nobody', async () => {
  const { cart, contactId } = await left();
  await site.view(cart, { subscription: aBrowser().subscription, proof: 'guessed' });
  expect(await pushIdentities(contactId)).toEqual([]);
});

test('a store has one pair of keys, and it stays when the connection is changed', async () => {
  const { pushKey } = await site.view('nobody');
  const changed = await api(`/api/connections/${connection}`, 'PATCH', {
    config: { contact: 'mailto:other@example.com', baseUrl: `http://127.0.0.1:${far.port}` },
  });
  expect(changed.status).toBe(200);
  expect((await site.view('nobody')).pushKey).toBe(pushKey);
  const second = await api('/api/connections', 'POST', { integration: 'web-push', name: 'Another', config: { contact: 'mailto:push@example.com' } });
  expect(second).toMatchObject({ status: 400 });
});

test('the worker’s script is answered', async () => {
  const answer = await shop.app.inject('/onsite/push-worker.js');
  expect(answer.headers['content-type']).toBe('text/javascript; charset=utf-8');
  expect(answer.body).toContain('showNotification');
});
