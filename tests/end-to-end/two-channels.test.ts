import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SmsPayload } from '../../domain/channels/index.ts';
import { aCart, openShop, type Shop, until } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { createStubSender } from '../helpers/stub-sender.ts';
import { publishNudge } from '../helpers/two-channels.ts';

// From the cart to the text message: one sequence, SMTP and an HTTP provider of text messages.

let shop: Shop;
let texts: StubProvider;
beforeAll(async () => {
  texts = await startStubProvider(true);
  shop = await openShop({ moreSenders: [createStubSender(texts.port, { kind: 'keys', channel: 'sms' })] });
  // A worker publishes the presets when it starts.
  await shop.startWorker();
  await publishNudge(shop, { more: '  - { id: later, at: 24h, channel: email, content: cart/nudge }\n' });
});
afterAll(async () => {
  await shop.close();
  await texts.stop();
});

const ended = (cart: string) =>
  until('the end', async () => {
    const enrollment = await shop.enrollmentOf(cart);
    return enrollment?.endedAt == null ? null : enrollment;
  });
const channelsOf = async (enrollmentId: string) =>
  Object.fromEntries((await shop.ledgerOf(enrollmentId)).map((m) => [m.stepId, `${m.state} by ${m.channel}`]));
const textTo = (phone: string) =>
  texts.accepted.map((a) => JSON.parse(a.body) as SmsPayload).find((payload) => payload.channel === 'sms' && payload.to === phone);
const browser = { 'user-agent': 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1' };

test('who has agreed to texts gets the first step as a text, and the later one as an email', async () => {
  const contact = { email: 'ada@example.com', phone: '+12025550171' };
  await shop.deliver('contact.opted_in', { contact, channel: 'sms' }, { at: Date.now() - 60_000 });
  await shop.deliver('cart.updated', { ...aCart('cart-text', null), contact });
  const enrollment = await ended('cart-text');
  expect(enrollment.status).toBe('COMPLETED');
  expect(await channelsOf(enrollment.id)).toEqual({ nudge: 'sent by sms', later: 'sent by email' });
  expect(textTo(contact.phone)?.text).toMatch(/^\[Demo\] Our store: your cart is waiting: http\S+ Reply STOP to opt out$/);
  expect(shop.smtp.accepted.filter((m) => m.envelope.to.includes(contact.email))).toHaveLength(1);
});

test('who has not gets both as emails', async () => {
  await shop.deliver('cart.updated', aCart('cart-email', 'grace@example.com'));
  const enrollment = await ended('cart-email');
  expect(await channelsOf(enrollment.id)).toEqual({ nudge: 'sent by email', later: 'sent by email' });
});

test('the short link of a text leads back to the cart and counts as a click; another one leads nowhere', async () => {
  const shortUrl = textTo('+12025550171')?.shortUrl ?? '';
  expect(shortUrl).toMatch(/^http:\/\/rekindle\.example\.com\/s\/[0-9A-Za-z]{22}$/);
  const path = new URL(shortUrl).pathname;
  const follow = (url: string) => shop.app.inject({ method: 'GET', url, headers: browser });
  const click = await follow(path);
  expect([click.statusCode, click.headers.location]).toEqual([302, 'https://shop.example.com/restore/cart-text']);
  const enrollment = await shop.enrollmentOf('cart-text');
  const row = (await shop.ledgerOf(enrollment?.id ?? '')).find((m) => m.stepId === 'nudge');
  expect(row?.clickedAt ?? row?.suspectedClickAt).toEqual(expect.any(Number));
  const flipped = (at: number) => path.slice(0, at) + (path[at] === 'a' ? 'b' : 'a') + path.slice(at + 1);
  for (const forged of [flipped(path.length - 1), flipped(3), flipped(12), `${path}0`, path.slice(0, -1), '/s/', `/s/${'z'.repeat(22)}`])
    expect((await follow(forged)).statusCode, forged).toBe(404);
});
