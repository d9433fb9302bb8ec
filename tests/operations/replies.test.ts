import { afterAll, beforeAll, expect, test } from 'vitest';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { explainEnrollment } from '../../operations/read/explain.ts';
import { aCart, letTimePass, openShop, type Shop } from '../helpers/shop.ts';

// What somebody writes decides whether their sequences end, wait, or go on.

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

let counter = 0;
async function left() {
  counter += 1;
  const [cart, email] = [`reply-cart-${counter}`, `reply-${counter}@example.com`];
  await shop.post('cart.updated', aCart(cart, email), { at: Date.now() - 2 * hourMs });
  const { id = '' } = (await shop.enrollmentOf(cart)) ?? {};
  await dispatch(id, 'popup_1h');
  return { cart, email, id };
}
const dispatch = (enrollmentId: string, stepId: string) => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId });
const receive = (email: string, more: Record<string, unknown>) => shop.post('message.received', { contact: { email }, channel: 'email', ...more });
const sentences = async (id: string) => (await explainEnrollment(shop.deps, shop.tenant.tenantId, id))?.entries.map((e) => e.sentence) ?? [];
const stateOf = async (cart: string) => {
  const row = await shop.enrollmentOf(cart);
  return row?.endedAt === null ? 'open' : (row?.stopReason ?? 'missing');
};

test('"call me next week" moves what is left by a week, and says so', async () => {
  const { cart, email, id } = await left();
  const before = Date.now();
  expect((await receive(email, { text: 'Call me next week, please.' })).status).toBe(200);
  expect(await stateOf(cart)).toBe('open');
  expect(await dispatch(id, 'email_2h')).toMatchObject({ kind: 'done', ended: null });
  expect((await shop.ledgerOf(id)).find((m) => m.stepId === 'email_2h')).toBeUndefined();
  const { next } = (await explainEnrollment(shop.deps, shop.tenant.tenantId, id)) ?? {};
  expect(next?.verdict).toBe('defer');
  expect(next?.untilMs).toBeGreaterThanOrEqual(before + 7 * dayMs - 5_000);
  expect(next?.untilMs).toBeLessThan(Date.now() + 7 * dayMs + 5_000);
  expect(await sentences(id)).toContainEqual(
    expect.stringMatching(/^The shopper asked to be contacted later: what is left of the sequence moves to \d{4}-/),
  );
  await letTimePass(shop, 7 * dayMs + 60_000);
  await dispatch(id, 'email_2h');
  expect((await shop.ledgerOf(id)).find((m) => m.stepId === 'email_2h')?.state).toBe('sent');
  // A day after it, as the sequence says, although the cart is ten days old by then.
  await letTimePass(shop, 22 * hourMs + 60_000);
  await dispatch(id, 'email_24h');
  expect((await shop.ledgerOf(id)).find((m) => m.stepId === 'email_24h')?.state).toBe('sent');
});

test('later, and then a real reply: it stops', async () => {
  const { cart, email } = await left();
  await receive(email, { text: 'tomorrow' });
  await receive(email, { text: 'Is it in stock?' });
  expect(await stateOf(cart)).toBe('replied');
});

test.each<[string, Record<string, unknown>]>([
  ['by its header', { headers: { 'Auto-Submitted': 'auto-replied' }, text: 'I read emails on Mondays.' }],
  [
    'by its headers as a list',
    {
      headers: [
        { name: 'X-Other', value: 'x' },
        { name: 'auto-submitted', value: 'auto-generated' },
      ],
      text: 'Away.',
    },
  ],
  ['by its subject', { subject: 'Automatic reply: Your cart', text: 'I am away.' }],
  ['by its text', { text: 'This is an automatic reply. I am away.' }],
])('an automatic reply changes nothing: %s', async (_, message) => {
  const { cart, email, id } = await left();
  await receive(email, message);
  expect(await stateOf(cart)).toBe('open');
  expect(await sentences(id)).toContain('An automatic reply came in from the shopper’s address: it changes nothing.');
  await dispatch(id, 'email_2h');
  expect((await shop.ledgerOf(id)).find((m) => m.stepId === 'email_2h')?.state).toBe('sent');
});

test('an automatic reply of somebody who is not known makes nobody known', async () => {
  await receive('nobody-away@example.com', { headers: { 'auto-submitted': 'auto-replied' } });
  await shop.post('cart.updated', aCart('reply-away', 'nobody-away@example.com'), { at: Date.now() - 60_000 });
  expect(await stateOf('reply-away')).toBe('open');
});

test.each(['email', 'telegram'])('STOP is an opt-out in a message by %s too', async (channel) => {
  const { cart, email } = await left();
  await receive(email, { channel, text: 'Stop!' });
  expect(await stateOf(cart)).toBe('opted_out');
  const again = `${cart}-again`;
  await shop.post('cart.updated', aCart(again, email), { at: Date.now() + 1_000 });
  expect(await shop.enrollmentOf(again)).toBeNull();
});

test('START after STOP by email opens emails again', async () => {
  const { cart, email } = await left();
  await receive(email, { text: 'unsubscribe\n\nOn Tue, Our store wrote:\n> You left something' });
  await shop.post('message.received', { contact: { email }, channel: 'email', text: 'Start' }, { at: Date.now() + 1_000 });
  await shop.post('cart.updated', aCart(`${cart}-again`, email), { at: Date.now() + 2_000 });
  expect(await shop.enrollmentOf(`${cart}-again`)).not.toBeNull();
});

test('a header list of any shape is read or left out, and the reply counts', async () => {
  for (const headers of [null, 'x', 7, [1, null, { name: 3 }], { 'auto-submitted': { a: 1 } }, { 'auto-submitted': ['no'] }]) {
    const { cart, email } = await left();
    expect((await receive(email, { headers, text: 'Hello' })).status).toBe(200);
    expect(await stateOf(cart)).toBe('replied');
  }
});
