import { afterAll, beforeAll, expect, test } from 'vitest';
import { recoveryWorkflowId } from '../../workflows/contract.ts';
import { aCart, openShop, type Shop, temporalClientOf, until } from '../helpers/shop.ts';

let shop: Shop;
beforeAll(async () => {
  // Mails after 0.3, 3.6, 7.2 and 10.8 s; nobody expires before 25 s.
  shop = await openShop({ timeScale: 24_000 });
  await shop.startWorker();
});
afterAll(() => shop.close());

const mailsTo = (cart: string) => shop.smtp.accepted.filter((m) => m.envelope.to.includes(`${cart}@example.com`)).length;
const begin = (cart: string) => shop.post('cart.updated', aCart(cart, `${cart}@example.com`));
const endOf = (cart: string) => until(`${cart} to end`, async () => (await shop.enrollmentOf(cart))?.endedAt ?? null, 30_000);

/** What the run of a cart that has ended left in Temporal. */
async function historyOf(cart: string) {
  const enrollment = await shop.enrollmentOf(cart);
  const handle = temporalClientOf(shop).workflow.getHandle(recoveryWorkflowId(shop.tenant.slug, 'cart', enrollment?.id ?? ''));
  const result: unknown = await handle.result();
  const { events = [] } = await handle.fetchHistory();
  const dispatched = (events ?? []).filter((e) => e.activityTaskScheduledEventAttributes?.activityType?.name === 'dispatchStep').length;
  return {
    result,
    events: events?.length ?? 0,
    dispatched,
    others: (events ?? []).filter((e) => e.activityTaskScheduledEventAttributes).length - dispatched,
  };
}

/** Design, section 10: eleven events a step, six around them (start 4, end 1, StopReason 1). */
const budget = (steps: number) => 11 * steps + 6;

test('a completed sequence costs eleven events a step and six around them', async () => {
  await begin('plain');
  await endOf('plain');
  const { events, ...rest } = await historyOf('plain');
  expect(rest).toEqual({ result: { reason: 'completed', sent: 4 }, dispatched: 5, others: 0 });
  expect(events).toBeLessThanOrEqual(budget(5));
}, 60_000);

test('cart updates between the mails cost nothing', async () => {
  await begin('busy');
  for (const mails of [1, 2, 3]) {
    await until(`mail ${mails}`, () => mailsTo('busy') === mails);
    for (const total of ['10.00', '20.00', '30.00']) await shop.post('cart.updated', aCart('busy', 'busy@example.com', { total }));
  }
  await endOf('busy');
  const { events, ...rest } = await historyOf('busy');
  expect(rest).toEqual({ result: { reason: 'completed', sent: 4 }, dispatched: 5, others: 0 });
  expect(events).toBeLessThanOrEqual(budget(5));
}, 60_000);

test('a sequence stopped by an order costs no more than the steps it had begun', async () => {
  await begin('bought');
  await until('the first mail', async () => mailsTo('bought') === 1);
  const { id = '' } = (await shop.enrollmentOf('bought')) ?? {};
  await until('it to be settled', async () => (await shop.ledgerOf(id)).some((m) => m.stepId === 'email_2h' && m.state === 'sent'));
  await shop.post('order.placed', {
    order: { id: 'order-1', currency: 'EUR', total: '129.90' },
    cart_id: 'bought',
    contact: { email: 'bought@example.com' },
  });
  const { events, ...rest } = await historyOf('bought');
  expect(rest).toEqual({ result: { reason: 'purchased', sent: 1 }, dispatched: 2, others: 0 });
  // Two were dispatched, the third was being waited for.
  expect(events).toBeLessThanOrEqual(budget(3));
}, 60_000);

test('a sequence stopped by hand costs one activity more: its end is written back', async () => {
  await begin('stopped');
  await until('the first mail', () => mailsTo('stopped') === 1);
  const { id = '' } = (await shop.enrollmentOf('stopped')) ?? {};
  await until('it to be settled', async () => (await shop.ledgerOf(id)).some((m) => m.stepId === 'email_2h' && m.state === 'sent'));
  await temporalClientOf(shop)
    .workflow.getHandle(recoveryWorkflowId(shop.tenant.slug, 'cart', id))
    .signal('stop', 'enough');
  const { events, ...rest } = await historyOf('stopped');
  expect(rest).toEqual({ result: { reason: 'manual', sent: 1 }, dispatched: 2, others: 1 });
  expect(events).toBeLessThanOrEqual(budget(3) + 6);
}, 60_000);
