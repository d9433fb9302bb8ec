import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RecoveryView, recoveryWorkflowId, viewQueryName } from '../../workflows/contract.ts';
import { aCart, openShop, type Shop, temporalClientOf, until } from '../helpers/shop.ts';
import { publishNext } from '../operations/versions/publish-next.ts';

// A published version reaches workflows that sleep, through the outbox and an activity.

let shop: Shop;
beforeAll(async () => {
  // An hour takes 0.15 s, a day 3.6 s.
  shop = await openShop({ timeScale: 24_000, settings: { postalAddress: '1 Test Street, Vienna' } });
  await shop.startWorker();
});
afterAll(() => shop.close());

const mailsTo = (cart: string) => shop.smtp.accepted.filter((m) => m.envelope.to.includes(`${cart}@example.com`)).length;
const workflowOf = async (cart: string) =>
  temporalClientOf(shop).workflow.getHandle(recoveryWorkflowId(shop.tenant.slug, 'cart', (await shop.enrollmentOf(cart))?.id ?? ''));

/** It has had email_2h and waits for a step that is days away. */
async function asleep(cart: string, farAway = '6d'): Promise<void> {
  await publishNext(shop, { email_2h: '2h', email_6d: farAway, [`email_${cart}`]: farAway }, 'stay');
  await shop.deliver('cart.updated', aCart(cart, `${cart}@example.com`));
  await until('the first mail', () => mailsTo(cart) === 1);
  const workflow = await workflowOf(cart);
  await until('it to sleep', async () => (await workflow.query<RecoveryView>(viewQueryName)).nextStep === 'email_6d');
}
const endOf = (cart: string) =>
  until(`${cart} to end`, async () => ((await shop.enrollmentOf(cart))?.endedAt == null ? null : shop.enrollmentOf(cart)));
async function activitiesOf(cart: string): Promise<string[]> {
  const { events } = await (await workflowOf(cart)).fetchHistory();
  return (events ?? []).flatMap((e) => e.activityTaskScheduledEventAttributes?.activityType?.name ?? []);
}

test('a workflow that sleeps goes on by the version that it is moved to', async () => {
  await asleep('moved');
  // Later than two messages keep apart, however late the first one was: it is put off by nothing.
  await publishNext(shop, { email_2h: '2h', email_20h: '20h' }, 'move');
  await until('the mail of the new version', () => mailsTo('moved') === 2);
  expect(await endOf('moved')).toMatchObject({ status: 'COMPLETED' });
  expect(await (await workflowOf('moved')).result()).toEqual({ reason: 'completed' });
  expect(await activitiesOf('moved')).toEqual(['dispatchStep', 'readProgress', 'dispatchStep']);
});

test('it ends at once where everybody exits, and sends nothing more', async () => {
  await asleep('exits');
  await publishNext(shop, { email_2h: '2h' }, 'exit');
  expect(await endOf('exits')).toMatchObject({ status: 'EXITED', stopReason: 'version_replaced' });
  expect(await (await workflowOf('exits')).result()).toEqual({ reason: 'version_replaced' });
  expect(await activitiesOf('exits')).toEqual(['dispatchStep', 'readProgress']);
  expect(mailsTo('exits')).toBe(1);
});

test('it is not even woken where everybody stays', async () => {
  await asleep('stays', '2d');
  await publishNext(shop, { email_2h: '2h', email_8h: '8h' }, 'stay');
  expect(await endOf('stays')).toMatchObject({ status: 'COMPLETED' });
  expect(mailsTo('stays')).toBe(3);
  expect(await activitiesOf('stays')).not.toContain('readProgress');
});
