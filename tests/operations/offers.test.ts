import { eq, ne } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { enrollments, offerCodes, offers, sequences } from '../../db/schema/index.ts';
import type { OfferPolicy } from '../../domain/offers/policy.ts';
import type { SendOutcome } from '../../integrations/port.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { compilePreset, publishPreset } from '../../operations/publish-sequence.ts';
import { explainEnrollment } from '../../operations/read/explain.ts';
import { addCodes } from '../../operations/offers/codes.ts';
import { changeSettings } from '../../operations/settings.ts';
import { ask } from '../api/left-carts.ts';
import { aCart, letTimePass, openShop, type Shop } from '../helpers/shop.ts';

// Offers from the policy to the order that redeems them, on real Postgres: docs/rules.md#rule-47

const hourMs = 3_600_000;
let shop: Shop;
let counter = 0;
/** What the far end says to the next calls. */
let outcomes: SendOutcome[] = [];

const copy = (text: string) => `---\nsubject: Your cart\npreheader: It waits\nheading: Your cart\ncta: Back to it\n---\n${text}\n\n[cart]\n`;
const offering = copy('Hello.{% if offer %} {{ offer.percent }} off with {{ offer.code }} until {{ offer.ends }}.{% endif %}');

beforeAll(async () => {
  shop = await openShop({
    timeScale: 1,
    settings: { timeZone: 'Europe/Vienna' },
    sender: {
      channel: 'email',
      account: 'test',
      times: { deadlineMs: 2_500, leaseMs: 3_000, deadLeaseMs: 10_000 },
      reconciliation: { kind: 'none' },
      open: async () => ({
        send: async () => outcomes.shift() ?? { kind: 'accepted', providerMessageId: null, response: 'ok' },
        close: () => undefined,
      }),
    },
  });
  for (const [slug, offer] of [
    ['one', 'true'],
    ['two', 'true'],
    ['strict', '{ without: skip }'],
  ] as const) {
    const yaml = `
sequence: ${slug}
name: ${slug}
on: cart.abandoned
quietFor: 1h
maxAge: 30d
steps:
  - { id: last, at: 2h, channel: email, content: cart/last, offer: ${offer} }
`;
    const texts = { 'cart/last': { file: 'last.liquid', text: offering } };
    await publishPreset(shop.deps, shop.tenant.tenantId, await compilePreset({ file: 'one.yaml', yaml, copy: texts }));
  }
});
afterAll(() => shop.close());
beforeEach(async () => {
  outcomes = [];
  await policy({ percentOff: 10 });
});

const policy = (offer: Partial<OfferPolicy> | null) =>
  changeSettings(shop.deps, shop.tenant.tenantId, {
    changes: { offers: offer as (OfferPolicy & { source: 'pool' }) | null },
    expectedVersion: null,
    by: 'test',
  });
const inTenant = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);
const stock = (...codes: string[]) => addCodes(shop.deps, shop.tenant.tenantId, { codes, expiresAtMs: null }, 'test');
const dispatch = (enrollmentId: string) => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId: 'last' });
const rowOf = async (id: string) => (await shop.ledgerOf(id)).find((m) => m.stepId === 'last');
const textOf = async (id: string) => {
  const payload = (await rowOf(id))?.payload;
  return payload?.channel === 'email' ? payload.text : '';
};
const grantsOf = (id: string) => inTenant((tx) => tx.select().from(offers).where(eq(offers.enrollmentId, id)));

/** A person who left a cart two hours ago. @returns their enrollments by sequence */
async function left({ email = `offer-${++counter}@example.com`, total = '129.90' } = {}) {
  const cart = `offer-cart-${++counter}`;
  await shop.post('cart.updated', aCart(cart, email, { total }), { at: Date.now() - 2 * hourMs - 60_000 });
  const { subjectId = '' } = (await shop.enrollmentOf(cart)) ?? {};
  const rows = await inTenant((tx) =>
    tx
      .select({ id: enrollments.id, slug: sequences.slug })
      .from(enrollments)
      .innerJoin(sequences, eq(sequences.id, enrollments.sequenceId))
      .where(eq(enrollments.subjectId, subjectId)),
  );
  const of = (slug: string) => rows.find((row) => row.slug === slug)?.id ?? '';
  return { cart, email, one: of('one'), two: of('two'), strict: of('strict') };
}

test('a granted code stands in the message, with the end as the person’s clock shows it, and the order brings it back', async () => {
  await stock('tea-0001');
  const { one, cart } = await left();
  await dispatch(one);
  const [grant] = await grantsOf(one);
  expect(grant).toMatchObject({ code: 'TEA-0001', state: 'minted', percentOff: 10 });
  expect((grant?.endsAt ?? 1) % hourMs).toBe(0);
  const ends = new Intl.DateTimeFormat('en', { timeZone: 'Europe/Vienna', hour: 'numeric', minute: '2-digit', timeZoneName: 'short' }).format(
    grant?.endsAt,
  );
  expect(await textOf(one)).toMatch(/10% off with TEA-0001 until \w+, \w+ \d+/);
  expect(await textOf(one)).toContain(ends.replace(/\u202f/g, ' ').split(' ')[0] ?? '?');
  const explained = await explainEnrollment(shop.deps, shop.tenant.tenantId, one);
  expect(JSON.stringify(explained?.entries)).toContain('An offer: 10%, until ');
  await shop.post('order.placed', {
    order: { id: `o-${cart}`, currency: 'EUR', total: '116.91', discount_codes: ['Tea-0001', 'OTHER'] },
    cart_id: cart,
  });
  expect((await grantsOf(one))[0]).toMatchObject({ redeemedOrder: `o-${cart}` });
});

describe('one person in two sequences', () => {
  test('of dispatches at once one brings an offer, and the other says why it brings none', async () => {
    await stock(...Array.from({ length: 20 }, (_, n) => `RACE-${n}`));
    for (let round = 0; round < 6; round++) {
      const { one, two } = await left();
      await Promise.all([dispatch(one), dispatch(two)]);
      const all = [...(await grantsOf(one)), ...(await grantsOf(two))];
      expect(all).toHaveLength(1);
      const texts = [await textOf(one), await textOf(two)];
      expect(texts.filter((text) => text.includes(all[0]?.code ?? '?'))).toHaveLength(1);
      expect(texts.filter((text) => text.includes(' off with '))).toHaveLength(1);
    }
    // No code is two people's.
    const given = (await inTenant((tx) => tx.select().from(offerCodes))).flatMap(({ offerId }) => offerId ?? []);
    expect(new Set(given).size).toBe(given.length);
  });

  test('without one, a step that wants it so is left out', async () => {
    await policy({ percentOff: 10, minimumMinor: 100_000 });
    const { strict } = await left();
    // The others would have their turn first.
    await inTenant((tx) =>
      tx.update(enrollments).set({ endedAt: Date.now(), status: 'EXITED', stopReason: 'manual' }).where(ne(enrollments.id, strict)),
    );
    await dispatch(strict);
    expect(await rowOf(strict)).toMatchObject({ state: 'skipped', skipReason: 'no_offer' });
    const explained = await explainEnrollment(shop.deps, shop.tenant.tenantId, strict);
    const said = JSON.stringify(explained?.entries);
    for (const part of ['"refusal":"too_small"', 'No offer: it is worth too little.']) expect(said).toContain(part);
    expect(explained?.entries.map((e) => e.sentence)).toContainEqual('last is not sent: it is not sent without an offer, and the shopper got none.');
  });
});

test('many people at once share a budget: it is spent exactly', async () => {
  await stock(...Array.from({ length: 12 }, (_, n) => `BUDGET-${n}`));
  const before = (await inTenant((tx) => tx.select().from(offers))).length;
  await policy({ percentOff: 10, budget: { most: before + 3, withinDays: 30 } });
  const people = await Promise.all(Array.from({ length: 6 }, () => left()));
  await Promise.all(people.map(({ one }) => dispatch(one)));
  // Whom another grant kept waiting too long is asked again.
  for (const { one } of people) await dispatch(one);
  const granted = (await Promise.all(people.map(({ one }) => grantsOf(one)))).flat();
  expect(granted).toHaveLength(3);
  expect((await Promise.all(people.map(({ one }) => rowOf(one)))).map((row) => row?.state)).toEqual(Array(6).fill('sent'));
});

test('an attempt that was refused keeps its grant: the next one sends the same code', async () => {
  await stock('AGAIN-1', 'AGAIN-2');
  const { one } = await left();
  outcomes = [{ kind: 'refused', severity: 'soft', response: '451' }];
  await dispatch(one);
  const [grant] = await grantsOf(one);
  expect(await rowOf(one)).toMatchObject({ state: 'failed' });
  await letTimePass(shop, 10 * 60_000);
  await policy(null);
  await dispatch(one);
  expect(await rowOf(one)).toMatchObject({ state: 'sent' });
  expect(await textOf(one)).toContain(grant?.code ?? '?');
  expect(await grantsOf(one)).toHaveLength(1);
});

test('a stop before the message went out takes the grant back, and its code may be another’s', async () => {
  const { one, email } = await left();
  await stock('BACK-1');
  outcomes = [{ kind: 'refused', severity: 'soft', response: '451' }];
  await dispatch(one);
  const [grant] = await grantsOf(one);
  expect(grant?.state).toBe('minted');
  await shop.post('contact.opted_out', { contact: { email }, channel: 'email' });
  const next = await left();
  await dispatch(next.one);
  expect((await grantsOf(one))[0]?.state).toBe('revoked');
  expect((await grantsOf(next.one))[0]?.state).toBe('minted');
});

test('beforehand, explain and preview say which offer a step would bring, or why none', async () => {
  await policy({ percentOff: 12, minimumMinor: 5_000 });
  await stock('FORESEEN-1');
  const { one, email } = await left();
  const next = await explainEnrollment(shop.deps, shop.tenant.tenantId, one);
  expect(JSON.stringify(next)).toContain('An offer: 12%, until ');
  const preview = async () => (await ask(shop, shop.tenant.apiKey, `/api/sequences/one/steps/last/preview?contact=${email}`, 'GET')).body;
  expect(await preview()).toMatchObject({
    text: expect.stringContaining('12% off with YOUR-CODE'),
    claims: expect.arrayContaining([{ claim: 'offer', shown: true, why: 'the store’s terms grant one now' }]),
  });
  await policy({ percentOff: 12, minimumMinor: 5_000_000 });
  const why = 'it is worth too little';
  expect(await preview()).toMatchObject({
    text: expect.not.stringContaining('off with'),
    claims: expect.arrayContaining([{ claim: 'offer', shown: false, why }]),
  });
  expect(JSON.stringify(await explainEnrollment(shop.deps, shop.tenant.tenantId, one))).toContain(`No offer: ${why}.`);
  // For a real person a rehearsal goes by the same records.
  const played = await ask(shop, shop.tenant.apiKey, '/api/rehearsals', 'POST', { contact: email, sequence: 'one', scenario: '' });
  expect(JSON.stringify(played.body)).toContain(`No offer: ${why}.`);
  // Nothing of it was granted.
  expect(await grantsOf(one)).toEqual([]);
});

describe('the API', () => {
  const own = (url: string, method: 'GET' | 'POST' = 'GET', payload?: Record<string, unknown>) => ask(shop, shop.tenant.apiKey, url, method, payload);

  test('takes codes, counts them, and shows none', async () => {
    const { status, body } = await own('/api/offers/codes', 'POST', { codes: ['API-1', 'api-1', 'API-2', 'TEA-0001'] });
    expect(status).toBe(200);
    expect(body).toMatchObject({ added: 2 });
    expect(JSON.stringify((await own('/api/offers/codes')).body)).not.toContain('API-');
    expect((await own('/api/offers/codes', 'POST', { codes: ['no code'] })).status).toBe(400);
  });

  test('finds a grant by its code, and takes one back', async () => {
    await stock('FIND-ME');
    const { one } = await left();
    await dispatch(one);
    const [grant] = await grantsOf(one);
    const found = (await own(`/api/offers?code=${grant?.code.toLowerCase()}`)).body as { data: { id: string; code_ends_with: string }[] };
    expect(found.data).toMatchObject([{ id: grant?.id, code_ends_with: grant?.code.slice(-3), state: 'minted', sequence: 'one', step: 'last' }]);
    expect(JSON.stringify(found)).not.toContain(grant?.code);
    const revoked = await own(`/api/offers/${grant?.id}/revoke`, 'POST');
    expect(revoked.body).toMatchObject({ state: 'revoked', sent: true, at_shop: false });
    expect((await own('/api/offers/00000000-0000-7000-8000-000000000000/revoke', 'POST')).status).toBe(404);
    // Sent, so it is nobody else's.
    const [code] = await inTenant((tx) =>
      tx
        .select()
        .from(offerCodes)
        .where(eq(offerCodes.code, grant?.code ?? '')),
    );
    expect(code?.offerId).toBe(grant?.id);
  });
});

test('a text that never names the code is refused when it is published', async () => {
  const yaml = 'sequence: bad\nname: Bad\non: cart.abandoned\nsteps:\n  - { id: last, at: 2h, channel: email, content: cart/last, offer: true }\n';
  const texts = { 'cart/last': { file: 'last.liquid', text: copy('Hello.') } };
  await expect(compilePreset({ file: 'bad.yaml', yaml, copy: texts })).rejects.toThrow(
    /last\.liquid: step last brings an offer, and this text does not name its code/,
  );
});
