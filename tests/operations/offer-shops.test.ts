import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { and, eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { enrollments, offers, sequences } from '../../db/schema/index.ts';
import { createConnection } from '../../operations/connections.ts';
import type { Checkpoint } from '../../operations/deps.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { closeCodes } from '../../operations/offers/close-codes.ts';
import { compilePreset, publishPreset } from '../../operations/publish-sequence.ts';
import { explainEnrollment } from '../../operations/read/explain.ts';
import { changeSettings } from '../../operations/settings.ts';
import { ask } from '../api/left-carts.ts';
import type { DispatchProcessConfig } from '../chaos/dispatch-process.ts';
import { startScript } from '../chaos/own-process.ts';
import { aCart, letTimePass, openShop, type Shop } from '../helpers/shop.ts';
import { type ShopifyShop, startShopifyShop } from '../helpers/shopify-shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { createStubSender } from '../helpers/stub-sender.ts';

// Offers whose codes are made in a shop: docs/rules.md#rule-58. Real Postgres, a shop and a provider on real HTTP.

const hourMs = 3_600_000;
const masterKey = randomBytes(32);
let shop: Shop;
let shopify: ShopifyShop;
let provider: StubProvider;
let counter = 0;

const text =
  '---\nsubject: Your cart\npreheader: It waits\nheading: Your cart\ncta: Back to it\n---\nHello.{% if offer %} {{ offer.percent }} off with {{ offer.code }} until {{ offer.ends }}.{% endif %}\n\n[cart]\n';

beforeAll(async () => {
  [shopify, provider] = await Promise.all([startShopifyShop(), startStubProvider(true)]);
  shop = await openShop({ timeScale: 1, masterKey, sender: createStubSender(provider.port, { kind: 'keys' }) });
  const yaml = `
sequence: one
name: One
on: cart.abandoned
quietFor: 1h
maxAge: 30d
steps:
  - { id: last, at: 2h, channel: email, content: cart/last, offer: true }
`;
  const compiled = await compilePreset({ file: 'one.yaml', yaml, copy: { 'cart/last': { file: 'last.liquid', text } } });
  await publishPreset(shop.deps, shop.tenant.tenantId, compiled);
  const config = { shop: 'tea.myshopify.com', accessToken: 'shpat_test', baseUrl: shopify.url };
  await createConnection(shop.deps, shop.tenant.tenantId, { integration: 'shopify-offers', name: 'Codes', config, secrets: [] }, 'test');
  await changeSettings(shop.deps, shop.tenant.tenantId, {
    changes: { offers: { percentOff: 10, source: 'shopify' } as never },
    expectedVersion: null,
    by: 'test',
  });
});
afterAll(async () => {
  await shop.close();
  await Promise.all([shopify.stop(), provider.stop()]);
});
beforeEach(() => {
  shopify.always(null);
  expect(shopify.faults).toEqual([]);
});

const inTenant = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);
const dispatch = (enrollmentId: string) => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId: 'last' });
const grantsOf = (id: string) => inTenant((tx) => tx.select().from(offers).where(eq(offers.enrollmentId, id)));
const rowOf = async (id: string) => (await shop.ledgerOf(id)).find((m) => m.stepId === 'last');
/** What the provider took for the step, as often as it did. */
const mailsOf = (id: string) =>
  provider.accepted.filter(({ key }) => key === `${id}:last`).map(({ body }) => (JSON.parse(body) as { text: string }).text);

/** A person who left a cart two hours ago, or longer. */
async function left({ agoMs = 2 * hourMs + 60_000 } = {}) {
  const [cart, email] = [`shop-cart-${++counter}`, `shop-${counter}@example.com`];
  await shop.post('cart.updated', aCart(cart, email), { at: Date.now() - agoMs });
  // Beside the preset's.
  const { subjectId = '' } = (await shop.enrollmentOf(cart)) ?? {};
  const [row] = await inTenant((tx) =>
    tx
      .select({ id: enrollments.id })
      .from(enrollments)
      .innerJoin(sequences, eq(sequences.id, enrollments.sequenceId))
      .where(and(eq(enrollments.subjectId, subjectId), eq(sequences.slug, 'one'))),
  );
  return { id: row?.id ?? '', email };
}

test('a code is made in the shop before its message goes out, and the message carries it', async () => {
  const { id } = await left();
  await dispatch(id);
  const [grant] = await grantsOf(id);
  expect(grant).toMatchObject({ state: 'minted', source: 'shopify' });
  expect(shopify.discounts.get(grant?.code ?? '')).toMatchObject({ endsAt: new Date(grant?.endsAt ?? 0).toISOString() });
  expect(mailsOf(id)).toEqual([expect.stringContaining(`10% off with ${grant?.code}`)]);
  // One decision, of the message that went out.
  const explained = await explainEnrollment(shop.deps, shop.tenant.tenantId, id);
  expect(JSON.stringify(explained?.entries).match(/An offer: 10%/g)).toHaveLength(1);
});

describe('a shop without a clear answer', () => {
  test('the step waits, asks for the same code again, and sends that', async () => {
    const { id } = await left();
    shopify.next({ act: 'reset', done: true });
    await dispatch(id);
    const [first] = await grantsOf(id);
    expect(first).toMatchObject({ state: 'granted', shopFailures: 1 });
    expect(mailsOf(id)).toEqual([]);
    const explained = await explainEnrollment(shop.deps, shop.tenant.tenantId, id);
    expect(JSON.stringify(explained?.entries)).toContain('the shop could not be reached to make the code of its offer');
    await letTimePass(shop, 15_000);
    await dispatch(id);
    expect((await grantsOf(id))[0]).toMatchObject({ code: first?.code, state: 'minted' });
    expect(mailsOf(id)).toEqual([expect.stringContaining(first?.code ?? '?')]);
    expect(shopify.discounts.has(first?.code ?? '')).toBe(true);
  });

  test('after an hour the message goes out without, and what the shop may have made is closed', async () => {
    const { id } = await left();
    shopify.always({ act: 'status', status: 503, done: true });
    for (let pass = 0; pass < 12 && mailsOf(id).length === 0; pass++) {
      await dispatch(id);
      await letTimePass(shop, 10 * 60_000);
    }
    expect(mailsOf(id)).toEqual([expect.not.stringContaining('off with')]);
    const [grant] = await grantsOf(id);
    expect(grant).toMatchObject({ state: 'refused', closedAtShop: null });
    await closeCodes(shop.deps);
    expect((await grantsOf(id))[0]).toMatchObject({ closedAtShop: null, shopFailures: expect.any(Number) });
    shopify.always(null);
    await letTimePass(shop, 10 * 60_000);
    expect(await closeCodes(shop.deps)).toBe(1);
    expect(shopify.discounts.get(grant?.code ?? '')).toMatchObject({ closed: true });
    expect(await closeCodes(shop.deps)).toBe(0);
  });
});

test('a step that would be too old when the shop is asked again goes out without at once', async () => {
  // The last step of a sequence lives for a day.
  const { id } = await left({ agoMs: 26 * hourMs - 60_000 });
  shopify.next({ act: 'status', status: 503, retryAfter: 120 });
  await dispatch(id);
  expect(mailsOf(id)).toEqual([expect.not.stringContaining('off with')]);
  expect((await grantsOf(id))[0]).toMatchObject({ state: 'refused' });
});

test('what the shop refuses goes out without a code at once, and counts for nobody', async () => {
  const { id } = await left();
  shopify.next({ act: 'errors', code: 'ACCESS_DENIED' });
  await dispatch(id);
  expect(mailsOf(id)).toEqual([expect.not.stringContaining('off with')]);
  expect((await grantsOf(id))[0]).toMatchObject({ state: 'refused', note: expect.stringContaining('write_discounts') });
  expect(await closeCodes(shop.deps)).toBe(0);
});

describe('a stop', () => {
  test('closes the code of a message that had not gone out, also when the shop is away for a while', async () => {
    const { id, email } = await left();
    provider.next({ act: 'answer', status: 429 });
    await dispatch(id);
    const [grant] = await grantsOf(id);
    expect(grant?.state).toBe('minted');
    expect(mailsOf(id)).toEqual([]);
    await shop.post('contact.opted_out', { contact: { email }, channel: 'email' });
    shopify.always({ act: 'status', status: 500 });
    expect(await closeCodes(shop.deps)).toBe(0);
    expect((await grantsOf(id))[0]).toMatchObject({ state: 'revoked', closedAtShop: null });
    shopify.always(null);
    await letTimePass(shop, 60_000);
    expect(await closeCodes(shop.deps)).toBe(1);
    expect(shopify.discounts.get(grant?.code ?? '')?.closed).toBe(true);
  });

  test('leaves a code alone that is in somebody’s hands, until somebody takes it back', async () => {
    const { id, email } = await left();
    await dispatch(id);
    const [grant] = await grantsOf(id);
    await shop.post('contact.opted_out', { contact: { email }, channel: 'email' });
    await closeCodes(shop.deps);
    expect(shopify.discounts.get(grant?.code ?? '')?.closed).toBe(false);
    const revoked = await ask(shop, shop.tenant.apiKey, `/api/offers/${grant?.id}/revoke`, 'POST');
    expect(revoked.body).toMatchObject({ state: 'revoked', sent: true, at_shop: true });
    expect(shopify.discounts.get(grant?.code ?? '')?.closed).toBe(true);
  });

  test('waits for a call that may still make the code', async () => {
    const { id, email } = await left();
    shopify.next({ act: 'status', status: 504, done: true });
    await dispatch(id);
    await shop.post('contact.opted_out', { contact: { email }, channel: 'email' });
    await letTimePass(shop, 30_000);
    await closeCodes(shop.deps);
    expect((await grantsOf(id))[0]?.closedAtShop).toBeNull();
    await letTimePass(shop, 40_000);
    await closeCodes(shop.deps);
    const [grant] = await grantsOf(id);
    expect(shopify.discounts.get(grant?.code ?? '')?.closed).toBe(true);
  });
});

test('a process is killed at four points of four dispatches: each has one code, which its one message carries', async () => {
  // Before the shop is asked; after it has made the code, before that is stored; between claim and send; after the provider took the message.
  const points: Checkpoint[] = ['offer.asked', 'offer.made', 'dispatch.claimed', 'dispatch.called'];
  const dispatches = [];
  for (const hangAt of points) dispatches.push({ enrollmentId: (await left()).id, hangAt });
  const config: DispatchProcessConfig = {
    ...{ databaseUrl: shop.database.url, masterKey: masterKey.toString('base64'), providerPort: provider.port },
    ...{ tenantId: shop.tenant.tenantId, stepId: 'last', dispatches },
  };
  const made = shopify.discounts.size;
  const { child, ready } = await startScript('tests/chaos/dispatch-process.ts', { args: [JSON.stringify(config)] });
  await ready;
  child.kill('SIGKILL');
  await once(child, 'exit');
  const ids = dispatches.map(({ enrollmentId }) => enrollmentId);
  const before = await Promise.all(ids.map(grantsOf));
  expect(before.map((grants) => grants.map(({ state }) => state))).toEqual([['granted'], ['granted'], ['minted'], ['minted']]);
  // Their claims are dead then, and the provider is asked again by its key.
  for (let pass = 0; pass < 3; pass++) {
    await letTimePass(shop, 15_000);
    for (const id of ids) await dispatch(id);
  }
  for (const [index, id] of ids.entries()) {
    const code = before[index]?.[0]?.code;
    expect(await rowOf(id)).toMatchObject({ state: 'sent' });
    expect(await grantsOf(id)).toMatchObject([{ code, state: 'minted' }]);
    expect(mailsOf(id)).toEqual([expect.stringContaining(`off with ${code}`)]);
  }
  expect(shopify.discounts.size).toBe(made + points.length);
});
