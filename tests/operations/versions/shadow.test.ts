import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { decisions, enrollmentEvents, enrollments, messages, outbox, shadowDecisions, shadowRuns } from '../../../db/schema/index.ts';
import { shadowPass } from '../../../operations/shadow/pass.ts';
import { readShadow, startShadow, stopShadow } from '../../../operations/shadow/shadows.ts';
import { dispatch } from '../../api/left-carts.ts';
import { aCart, letTimePass, openShop, type Shop } from '../../helpers/shop.ts';
import { draftNext, versionInUse } from './publish-next.ts';

// A shadow decides on what really happens, stores it, and sends nothing.

const hourMs = 3_600_000;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1, settings: { postalAddress: '1 Test Street, Vienna' } });
});
afterAll(() => shop.close());

const slug = 'cart';
const actor = 'test';
const drafted = { popup_1h: '1h', email_3h: '3h', email_20h: '20h', email_40h: '40h' };
beforeEach(async () => {
  await stopShadow(shop.deps, { tenantId: shop.tenant.tenantId, slug, actor });
  await draftNext(shop, drafted);
  expect(await startShadow(shop.deps, { tenantId: shop.tenant.tenantId, slug, actor })).toEqual({ kind: 'started' });
});

let counter = 0;
async function left(): Promise<{ id: string; cart: string; email: string }> {
  const cart = `shadow-${++counter}`;
  const email = `${cart}@example.com`;
  await shop.post('cart.updated', aCart(cart, email));
  const { id = '' } = (await shop.enrollmentOf(cart)) ?? {};
  await shadowPass(shop.deps);
  return { id, cart, email };
}
/** Hours pass one by one, and the shadows decide in each. */
async function hours(n: number): Promise<void> {
  for (let hour = 0; hour < n; hour++) {
    await letTimePass(shop, hourMs);
    await shadowPass(shop.deps);
  }
}
const report = async () => {
  const found = await readShadow(shop.deps, shop.tenant.tenantId, slug);
  if (found === null) throw new Error('no shadow');
  return found;
};
const runOf = async (id: string) => {
  const [run] = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(shadowRuns).where(eq(shadowRuns.enrollmentId, id)));
  const decided = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx
      .select()
      .from(shadowDecisions)
      .where(eq(shadowDecisions.runId, run?.id ?? ''))
      .orderBy(shadowDecisions.id),
  );
  return { run, decided: decided.map(({ stepId, verdict, reason }) => `${stepId} ${verdict} ${reason}`) };
};
/** Everything that a real decision reads or that reaches somebody. */
const real = () =>
  shop.deps.db.withTenant(shop.tenant.tenantId, async (tx) => ({
    ledger: (await tx.select().from(messages)).length,
    decisions: (await tx.select().from(decisions)).length,
    stories: (await tx.select().from(enrollmentEvents)).length,
    outbox: (await tx.select().from(outbox)).length,
    rows: (await tx.select().from(enrollments).orderBy(enrollments.id)).map(({ anchorAt: _a, enrolledAt: _e, activatedAt, endedAt, ...row }) => ({
      ...row,
      active: activatedAt !== null,
      over: endedAt !== null,
    })),
    mails: shop.smtp.accepted.length,
  }));

test('it decides each step of the draft when it is due, equals its rehearsal, and touches nothing that is real', async () => {
  const [one, other] = [await left(), await left()];
  const before = await real();
  await hours(42);
  expect(await real()).toEqual(before);
  expect((await runOf(one.id)).decided.filter((line) => !line.includes('defer'))).toEqual([
    'popup_1h skip not_connected',
    'email_3h send email',
    'email_20h send email',
    'email_40h send email',
  ]);
  expect((await runOf(other.id)).run).toMatchObject({ reason: 'completed' });
  const { version, runs, verdicts, differences } = await report();
  expect(version).toBeGreaterThan(await versionInUse(shop));
  expect({ runs, differences }).toEqual({ runs: { all: 2, ended: 2, compared: 2, same: 2 }, differences: [] });
  expect(verdicts).toContainEqual({ verdict: 'send', reason: 'email', count: 6 });
  // The version in use takes people in as before.
  expect((await shop.enrollmentOf(one.cart))?.versionId).toBe((await shop.enrollmentOf(other.cart))?.versionId);
});

test('a purchase ends it when it happens, and the report says where that differs from the rehearsal', async () => {
  const { id, cart } = await left();
  await hours(4);
  await shop.post('order.placed', { order: { id: `o-${cart}`, currency: 'EUR', total: '129.90' }, cart_id: cart });
  await shadowPass(shop.deps);
  const { run, decided } = await runOf(id);
  expect(run).toMatchObject({ reason: 'purchased', followedEnd: true });
  expect(decided.filter((line) => line.includes(' send '))).toEqual(['email_3h send email']);
  const { differences, runs } = await report();
  expect(runs).toEqual({ all: 1, ended: 1, compared: 1, same: 0 });
  expect(differences).toMatchObject([
    { enrollmentId: id, step: 'email_20h', shadow: null, rehearsed: { kind: 'sent', reason: 'email' }, endedAs: 'purchased' },
    { enrollmentId: id, step: 'email_40h', shadow: null, rehearsed: { kind: 'sent', reason: 'email' }, endedAs: 'purchased' },
  ]);
});

test('it goes on by itself where the real sequence ran to its end or was replaced, and an opt-out then still stops it', async () => {
  const { id, email } = await left();
  await hours(1);
  await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.update(enrollments).set({ status: 'COMPLETED', endedAt: Date.now() }).where(eq(enrollments.id, id)),
  );
  await hours(3);
  expect((await runOf(id)).decided.at(-1)).toBe('email_3h send email');
  await shop.post('contact.opted_out', { contact: { email }, channel: 'email' });
  await hours(17);
  expect((await runOf(id)).decided.filter((line) => line.includes(' send '))).toEqual(['email_3h send email']);
  expect((await report()).differences).toMatchObject([{ step: 'email_20h', rehearsed: { kind: 'sent' } }]);
});

test('what the real sequence sends counts neither against the shadow, nor the shadow against it', async () => {
  const { id, email } = await left();
  await hours(1);
  await dispatch(shop, id, 'popup_1h');
  await hours(1);
  await dispatch(shop, id, 'email_2h');
  const mails = () => shop.smtp.accepted.filter((m) => m.envelope.to.includes(email)).length;
  expect(mails()).toBe(1);
  // Three hours lie between two messages of one sequence: the shadow stands in for the real one.
  await hours(2);
  expect((await runOf(id)).decided.at(-1)).toBe('email_3h send email');
  await hours(20);
  await dispatch(shop, id, 'email_24h');
  expect(mails()).toBe(2);
});

test('one runs at a time; stopped, it decides no more; and it sees nobody who began before it', async () => {
  const input = { tenantId: shop.tenant.tenantId, slug, actor };
  expect(await startShadow(shop.deps, input)).toEqual({ kind: 'running' });
  const { id } = await left();
  expect(await stopShadow(shop.deps, input)).toBe(true);
  expect(await stopShadow(shop.deps, input)).toBe(false);
  await hours(4);
  expect((await runOf(id)).decided).toEqual([]);
  await letTimePass(shop, 1_000);
  await startShadow(shop.deps, input);
  await shadowPass(shop.deps);
  expect((await report()).runs).toMatchObject({ all: 0 });
  expect(await startShadow(shop.deps, { ...input, slug: 'nothing' })).toEqual({ kind: 'no_draft' });
});
