import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decisions } from '../../db/schema/index.ts';
import { type RecoveryView, recoveryWorkflowId, signalNames, viewQueryName } from '../../workflows/contract.ts';
import { aCart, openShop, type Shop, temporalClientOf, until } from '../helpers/shop.ts';

// Side by side: nearly all of their time is waiting.
let shop: Shop;
beforeAll(async () => {
  // Emails after 0.3, 3.6, 7.2 and 10.8 s; nobody expires before 25 s.
  shop = await openShop({ timeScale: 24_000 });
  await shop.startWorker();
});
afterAll(() => shop.close());

const mailsTo = (cart: string) => shop.smtp.accepted.filter((m) => m.envelope.to.includes(`${cart}@example.com`)).length;
const begin = (cart: string) => shop.deliver('cart.updated', aCart(cart, `${cart}@example.com`));
const endOf = (cart: string) => until(`${cart} to end`, async () => (await shop.enrollmentOf(cart))?.endedAt ?? null, 30_000);

const workflowOf = async (cart: string) =>
  temporalClientOf(shop).workflow.getHandle(recoveryWorkflowId(shop.tenant.slug, 'cart', (await shop.enrollmentOf(cart))?.id ?? ''));

/** The first email is out, and the workflow itself knows it. */
async function asleepAfterOneMail(cart: string): Promise<void> {
  await until('the first mail', () => mailsTo(cart) === 1);
  const workflow = await workflowOf(cart);
  await until('it to sleep', async () => (await workflow.query<RecoveryView>(viewQueryName)).settled['email_2h'] === 'sent');
}

/** What the run of a cart that has ended left in Temporal. */
async function historyOf(cart: string) {
  const handle = await workflowOf(cart);
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

/**
 * What Postgres recorded: a dispatch is one decision. On a busy machine an email that goes out late puts the next one off, which costs a dispatch more.
 */
async function decidedFor(cart: string): Promise<{ all: number; deferred: number }> {
  const { id = '' } = (await shop.enrollmentOf(cart)) ?? {};
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(decisions).where(eq(decisions.enrollmentId, id)));
  return { all: rows.length, deferred: rows.filter(({ verdict, reason }) => verdict === 'defer' && reason === 'gap').length };
}

/** Eleven events a step, six around them: start 4, end 1, StopReason 1 (docs/performance.md, `history_events`). */
const budget = (steps: number) => 11 * steps + 6;

test.concurrent('a completed sequence costs eleven events a step and six around them', async () => {
  await begin('plain');
  await endOf('plain');
  const { events, ...rest } = await historyOf('plain');
  const dispatched = 5 + (await decidedFor('plain')).deferred;
  expect(rest).toEqual({ result: { reason: 'completed' }, dispatched, others: 0 });
  expect(events).toBeLessThanOrEqual(budget(dispatched));
}, 60_000);

test.concurrent('cart updates between the emails cost nothing', async () => {
  await begin('busy');
  for (const mails of [1, 2, 3]) {
    await until(`mail ${mails}`, () => mailsTo('busy') === mails);
    for (const total of ['10.00', '20.00', '30.00']) await shop.deliver('cart.updated', aCart('busy', 'busy@example.com', { total }));
  }
  await endOf('busy');
  const { events, ...rest } = await historyOf('busy');
  const dispatched = 5 + (await decidedFor('busy')).deferred;
  expect(rest).toEqual({ result: { reason: 'completed' }, dispatched, others: 0 });
  expect(events).toBeLessThanOrEqual(budget(dispatched));
}, 60_000);

test.concurrent('a sequence stopped by an order costs no more than the steps it had begun', async () => {
  await begin('bought');
  await asleepAfterOneMail('bought');
  await shop.deliver('order.placed', {
    order: { id: 'order-1', currency: 'EUR', total: '129.90' },
    cart_id: 'bought',
    contact: { email: 'bought@example.com' },
  });
  const { events, ...rest } = await historyOf('bought');
  // Two, unless the machine was so slow that the third was due before the order.
  const { all } = await decidedFor('bought');
  expect(rest).toEqual({ result: { reason: 'purchased' }, dispatched: all, others: 0 });
  // One more was being waited for.
  expect(events).toBeLessThanOrEqual(budget(all + 1));
}, 60_000);

test.concurrent('a sequence stopped by hand costs one activity more: its end is written back', async () => {
  await begin('stopped');
  await asleepAfterOneMail('stopped');
  await (await workflowOf('stopped')).signal(signalNames.stop, 'enough');
  const { events, ...rest } = await historyOf('stopped');
  const { all } = await decidedFor('stopped');
  expect(rest).toEqual({ result: { reason: 'manual' }, dispatched: all, others: 1 });
  expect(events).toBeLessThanOrEqual(budget(all + 1) + 6);
}, 60_000);
