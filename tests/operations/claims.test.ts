import { afterAll, beforeAll, expect, test } from 'vitest';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { compilePreset, publishPreset } from '../../operations/publish-sequence.ts';
import { explainEnrollment } from '../../operations/read/explain.ts';
import { whyNotSent } from '../../operations/read/why-not-sent.ts';
import { ask } from '../api/left-carts.ts';
import { aCart, letTimePass, openShop, type Shop, until } from '../helpers/shop.ts';

// What messages claim, from the fact to the explanation: docs/rules.md#rule-39

const hourMs = 3_600_000;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  const text = (body: string) => ({
    file: 'x.liquid',
    text: `---\nsubject: Hello\npreheader: It waits\nheading: Hello\ncta: Go on\n---\nHello.\n\n${body}\n\n[cart]\n`,
  });
  const yaml = `sequence: cart\nname: Cart\non: cart.abandoned\nquietFor: 1h\nsteps:
  - { id: news, at: 2h, channel: email, content: cart/news }
  - { id: hurry, at: 6h, channel: email, content: cart/hurry, requires: { claim: stock } }
  - { id: bye, at: 10h, channel: email, content: cart/bye }\n`;
  const copy = {
    'cart/news': text(
      '{% claim stock %}Only {{ lowStock.left }} of {{ lowStock.title }}.{% endclaim %}\n\n{% claim price_drop %}Now {{ priceDrop.now }}.{% endclaim %}\n\n{% claim reviews %}{{ reviews.average }} stars.{% endclaim %}',
    ),
    'cart/hurry': text('{% claim stock %}Hurry: {{ lowStock.left }}.{% endclaim %}'),
    'cart/bye': text('Bye.'),
  };
  await publishPreset(shop.deps, shop.tenant.tenantId, await compilePreset({ file: 'cart.yaml', yaml, copy }));
});
afterAll(() => shop.close());

const state = (facts: object[]) => ask(shop, shop.tenant.apiKey, '/api/facts', 'POST', { facts });
const dispatch = (enrollmentId: string, stepId: string) => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId });
const item = (id: string, more: object = {}) => ({ title: 'Walnut desk lamp', quantity: 1, price: '129.90', product_id: id, ...more });
async function leave(cart: string, items: object[]) {
  await shop.post('cart.updated', aCart(cart, `${cart}@example.com`, { items }));
  return (await until('the enrollment', () => shop.enrollmentOf(cart))).id;
}
async function textOf(enrollmentId: string, stepId: string) {
  const row = (await shop.ledgerOf(enrollmentId)).find((m) => m.stepId === stepId);
  return row?.payload?.channel === 'email' ? row.payload.text : (row?.skipReason ?? null);
}

test('a message claims what is known when it goes out, and explain says on what that rests', async () => {
  const id = await leave('lamp', [item('lamp', { stock: 3 })]);
  await letTimePass(shop, 2 * hourMs + 1_000);
  await state([
    { kind: 'price', subject: 'lamp', value: { price: '99.00', currency: 'EUR' } },
    { kind: 'review', subject: 'lamp', value: { average: 4.5, count: 12 }, observed_at: '2020-01-01T00:00:00Z', expires_at: '2020-02-01T00:00:00Z' },
  ]);
  await dispatch(id, 'news');
  const text = await textOf(id, 'news');
  expect(text).toContain('Only 3 of Walnut desk lamp.');
  expect(text).toContain('Now €99.00.');
  expect(text).not.toContain('stars');
  const explained = await explainEnrollment(shop.deps, shop.tenant.tenantId, id);
  const decision = explained?.entries.find((e) => e.kind === 'decision');
  expect(decision?.sentence).toMatch(/It claims: few are left \(3 left, says cart\), the price has fallen \(99\.00 EUR, says api\)\.$/);
  expect(decision?.kind === 'decision' ? decision.checks.find(({ gate }) => gate === 'claims')?.input : null).toMatchObject({
    stock: true,
    'price_drop.value': '99.00 EUR',
    reviews: false,
    'reviews.why': 'what is known of it is too old',
    'reviews.fact': expect.any(String) as unknown,
  });
});

test('a step whose point has become untrue is left out, with a reason of its own', async () => {
  const [gone, still] = [await leave('gone', [item('a', { stock: 2 })]), await leave('still', [item('b', { stock: 2 })])];
  await letTimePass(shop, 2 * hourMs + 1_000);
  for (const id of [gone, still]) await dispatch(id, 'news');
  await letTimePass(shop, 4 * hourMs);
  await state([{ kind: 'stock', subject: 'a', value: { left: 40 } }]);
  for (const id of [gone, still]) await dispatch(id, 'hurry');
  expect(await textOf(gone, 'hurry')).toBe('claim');
  expect(await textOf(still, 'hurry')).toContain('Hurry: 2.');
  const explained = await explainEnrollment(shop.deps, shop.tenant.tenantId, gone);
  expect(explained?.entries.map((e) => e.sentence)).toContain(
    'hurry is not sent: what it was to say could not be claimed: few are left, but 40 are left, and 5 or less are few.',
  );
  const { rows } = await whyNotSent(shop.deps, shop.tenant.tenantId, { days: 7, sequence: null, channel: null });
  expect(rows).toContainEqual(expect.objectContaining({ verdict: 'skip', reason: 'claim', kind: 'as_planned', count: 1 }));
});

test('what a cart says about its stock is too old a day later', async () => {
  const id = await leave('old', [item('c', { stock: 2 })]);
  await letTimePass(shop, 24 * hourMs);
  const next = (await explainEnrollment(shop.deps, shop.tenant.tenantId, id))?.next;
  expect(next?.checks.find(({ gate }) => gate === 'claims')?.input).toMatchObject({ stock: false, 'stock.why': 'what is known of it is too old' });
});
