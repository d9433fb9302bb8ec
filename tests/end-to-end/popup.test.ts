import { expect, onTestFinished, test } from 'vitest';
import { connectSite } from '../helpers/a-site.ts';
import { aCart, openShop, until } from '../helpers/shop.ts';

test('a cart is left, its pop-up is shown to the visitor who looks around, and when they are gone the email goes out and no pop-up waits', async () => {
  const shop = await openShop();
  onTestFinished(() => shop.close());
  const site = await connectSite(shop);
  await shop.deliver('cart.updated', aCart('cart-1', 'ada@example.com'));
  await site.view('cart-1');
  await shop.startWorker();
  const popup = await until('the pop-up', async () => (await site.view('cart-1')).popup);
  expect(popup.heading).toBe('Still interested in Walnut desk lamp?');
  const { id = '' } = (await shop.enrollmentOf('cart-1')) ?? {};
  expect(await site.report(popup.token, 'shown')).toBe(204);
  const [mail] = await until('the first email', () => (shop.smtp.accepted.length > 0 ? shop.smtp.accepted : null));
  expect(mail?.raw.toString()).toContain('ada@example.com');
  expect((await site.view('cart-1')).popup).toBeNull();
  const steps = (await shop.ledgerOf(id)).map(({ stepId, state, channel }) => `${stepId} ${state} ${channel}`);
  expect(steps).toEqual(expect.arrayContaining(['popup_1h sent onsite', 'email_2h sent email']));
});
