import { afterAll, beforeAll, expect, test } from 'vitest';
import { doubtAfterRestore } from '../../operations/after-restore.ts';
import { dispatch, leaveCart } from '../api/left-carts.ts';
import { aCart, letTimePass, openShop, type Shop } from '../helpers/shop.ts';
import { startStubProvider } from '../helpers/stub-provider.ts';
import { createStubSender } from '../helpers/stub-sender.ts';

// What a backup does not know may have happened: docs/rules.md#rule-135

const hourMs = 3_600_000;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

const statesOf = async (id: string) => Object.fromEntries((await shop.ledgerOf(id)).map(({ stepId, state }) => [stepId, state]));
const mailsTo = (email: string) => shop.smtp.accepted.filter(({ envelope }) => envelope.to.includes(email)).length;

test('what was due before the database was lost counts as sent, whatever became of it; what is due later goes out', async () => {
  // As the backup has them: the first has had its pop-up step, the second nothing.
  const begun = await leaveCart(shop, 'begun', 'begun@example.com');
  await shop.post('cart.updated', aCart('fresh', 'fresh@example.com'));
  const fresh = (await shop.enrollmentOf('fresh'))?.id ?? '';
  // Then the first email of both was due, and now the second one of the first is.
  await letTimePass(shop, 23 * hourMs + 60_000);
  expect(await doubtAfterRestore(shop.deps, Date.now() - 2 * 60_000)).toEqual({ enrollments: 2, steps: 3 });
  expect(await statesOf(begun)).toMatchObject({ email_2h: 'unknown' });
  expect(await statesOf(fresh)).toEqual({ popup_1h: 'unknown', email_2h: 'unknown' });
  expect((await shop.enrollmentOf('fresh'))?.activatedAt).not.toBeNull();
  expect(await doubtAfterRestore(shop.deps, Date.now() - 2 * 60_000), 'a second run').toEqual({ enrollments: 0, steps: 0 });
  for (const id of [begun, fresh]) await dispatch(shop, id, 'email_2h');
  expect(mailsTo('begun@example.com') + mailsTo('fresh@example.com')).toBe(0);
  await dispatch(shop, begun, 'email_24h');
  expect(await statesOf(begun)).toMatchObject({ email_24h: 'sent' });
  expect(mailsTo('begun@example.com')).toBe(1);
});

test('an order that the shop delivers again ends what was in doubt as a purchase', async () => {
  await shop.post('cart.updated', aCart('bought', 'bought@example.com'));
  await letTimePass(shop, 3 * hourMs);
  await doubtAfterRestore(shop.deps, Date.now());
  await shop.post('order.placed', {
    order: { id: 'o-1', cart_id: 'bought', total: '10.00', currency: 'EUR' },
    contact: { email: 'bought@example.com' },
  });
  expect(await shop.enrollmentOf('bought')).toMatchObject({ status: 'CONVERTED', stopReason: 'purchased' });
});

test('a provider that could be asked again with the same key is not asked: its key may be over', async () => {
  const provider = await startStubProvider(true);
  const times = { deadlineMs: 1_500, leaseMs: 1_700, deadLeaseMs: 2_000 };
  const other = await openShop({ timeScale: 1, sender: createStubSender(provider.port, { kind: 'keys', times, account: 'emails' }) });
  try {
    const begun = await leaveCart(other, 'keyed', 'keyed@example.com');
    await letTimePass(other, hourMs + 60_000);
    expect(await doubtAfterRestore(other.deps, Date.now())).toEqual({ enrollments: 1, steps: 1 });
    await dispatch(other, begun, 'email_2h');
    await letTimePass(other, 60_000);
    await dispatch(other, begun, 'email_2h');
    expect(provider.calls).toBe(0);
    expect((await other.ledgerOf(begun)).find(({ stepId }) => stepId === 'email_2h')?.state).toBe('unknown');
    await letTimePass(other, 23 * hourMs);
    await dispatch(other, begun, 'email_24h');
    expect(provider.calls).toBe(1);
  } finally {
    await other.close();
    await provider.stop();
  }
});
