import { afterAll, beforeAll, expect, test } from 'vitest';
import { recoveryWorkflowId } from '../../workflows/contract.ts';
import { aCart, openShop, type Shop, temporalClientOf, until } from '../helpers/shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
  await shop.startWorker();
});
afterAll(() => shop.close());

const workflowOf = (enrollmentId: string) => temporalClientOf(shop).workflow.getHandle(recoveryWorkflowId(shop.tenant.slug, 'cart', enrollmentId));

test('an abandoned cart gets its four emails in order and completes', async () => {
  expect((await shop.deliver('cart.updated', aCart('cart-full', 'full@example.com'))).status).toBe(200);
  const enrollment = await until('enrollment', () => shop.enrollmentOf('cart-full'));
  const ended = await until('the end', async () => {
    const e = await shop.enrollmentOf('cart-full');
    return e?.endedAt == null ? null : e;
  });
  expect(ended.status).toBe('COMPLETED');
  const ledger = await shop.ledgerOf(enrollment.id);
  expect(Object.fromEntries(ledger.map((m) => [m.stepId, m.state]))).toEqual({
    popup_1h: 'skipped',
    email_2h: 'sent',
    email_24h: 'sent',
    email_48h: 'sent',
    email_72h: 'sent',
  });
  const mails = shop.smtp.accepted.filter((m) => m.envelope.to.includes('full@example.com'));
  expect(mails).toHaveLength(4);
  const result: unknown = await workflowOf(enrollment.id).result();
  expect(result).toEqual({ reason: 'completed' });
});

test('a purchase ends the sequence at once: row, workflow and search attribute agree', async () => {
  await shop.deliver('cart.updated', aCart('cart-bought', 'bought@example.com'));
  await shop.smtp.waitForMail((m) => m.envelope.to.includes('bought@example.com'));
  const order = await shop.deliver('order.placed', {
    order: { id: 'order-1', currency: 'EUR', total: '129.90' },
    cart_id: 'cart-bought',
    contact: { email: 'bought@example.com' },
  });
  expect(order).toEqual({ status: 200, body: { status: 'applied' } });
  const enrollment = await until('enrollment', () => shop.enrollmentOf('cart-bought'));
  expect(enrollment).toMatchObject({ status: 'CONVERTED', stopReason: 'purchased' });
  const result: unknown = await workflowOf(enrollment.id).result();
  expect(result).toEqual({ reason: 'purchased' });
  const description = await workflowOf(enrollment.id).describe();
  expect(description.searchAttributes['StopReason']).toEqual(['purchased']);
  expect(shop.smtp.accepted.filter((m) => m.envelope.to.includes('bought@example.com'))).toHaveLength(1);
});
