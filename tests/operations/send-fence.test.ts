import { eq } from 'drizzle-orm';
import { afterEach, expect, test } from 'vitest';
import { decisions, enrollmentEvents, messages, suppressions } from '../../db/schema/index.ts';
import { type DispatchResult, dispatchStep } from '../../operations/dispatch-step.ts';
import { sweepLeases } from '../../operations/sweep-leases.ts';
import { aCart, letTimePass, openShop, type Shop } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { createStubSender, type StubSenderOptions } from '../helpers/stub-sender.ts';

const hourMs = 3_600_000;
let shop: Shop;
let provider: StubProvider;
const short = { deadlineMs: 1_500, leaseMs: 1_700, deadLeaseMs: 2_000 };

async function open(kind: StubSenderOptions['kind'], more: Partial<StubSenderOptions> = {}): Promise<string> {
  provider = await startStubProvider(kind === 'keys');
  shop = await openShop({ timeScale: 1, sender: createStubSender(provider.port, { kind, times: short, ...more }) });
  await shop.post('cart.updated', aCart('cart-1', 'ada@example.com'));
  const enrollment = await shop.enrollmentOf('cart-1');
  if (enrollment === null) throw new Error('no enrollment');
  await letTimePass(shop, 2 * hourMs + 1_000);
  await dispatch(enrollment.id, 'popup_1h');
  return enrollment.id;
}
afterEach(async () => {
  await shop.close();
  await provider.stop();
});

const dispatch = (enrollmentId: string, stepId: string): Promise<DispatchResult> =>
  dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId });
const rowOf = async (enrollmentId: string, stepId: string) => (await shop.ledgerOf(enrollmentId)).find((m) => m.stepId === stepId);
const storyOf = (enrollmentId: string) =>
  shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.select().from(enrollmentEvents).where(eq(enrollmentEvents.enrollmentId, enrollmentId)).orderBy(enrollmentEvents.at),
  );
const settled = (result: DispatchResult, stepId: string) => (result.kind === 'done' ? result.progress.settled[stepId]?.outcome : result.kind);

test('a settled step answers with its stored outcome and makes no call', async () => {
  const id = await open('none');
  const first = await dispatch(id, 'email_2h');
  const second = await dispatch(id, 'email_2h');
  expect([settled(first, 'email_2h'), settled(second, 'email_2h')]).toEqual(['sent', 'sent']);
  expect(provider.calls).toBe(1);
});

test('ten workers that dispatch one step at once make one call', async () => {
  const id = await open('none');
  const results = await Promise.all(Array.from({ length: 10 }, () => dispatch(id, 'email_2h')));
  expect(provider.accepted).toHaveLength(1);
  // Attempts that met the running call were sent away to try later; none took it over.
  for (const result of results) expect(['sent', 'again']).toContain(settled(result, 'email_2h'));
});

test('a provider that takes the message and never answers leaves `unknown`, which counts as sent and is never sent again', async () => {
  const id = await open('none');
  provider.next({ act: 'hang', take: true });
  expect(settled(await dispatch(id, 'email_2h'), 'email_2h')).toBe('unknown');
  await letTimePass(shop, 48 * hourMs);
  expect(settled(await dispatch(id, 'email_2h'), 'email_2h')).toBe('unknown');
  expect(provider.accepted).toHaveLength(1);
  expect(await rowOf(id, 'email_2h')).toMatchObject({ state: 'unknown', live: false });
});

test('with keys, a call in doubt is repeated with its key and the very same bytes: accepted exactly once', async () => {
  const id = await open('keys');
  provider.next({ act: 'reset', take: true });
  expect(await dispatch(id, 'email_2h')).toMatchObject({ kind: 'again' });
  // The cart changes meanwhile: what is repeated is the pinned call.
  await shop.post('cart.updated', aCart('cart-1', 'ada@example.com', { total: '999.00' }), { at: Date.now() - 2 * hourMs });
  const before = (await rowOf(id, 'email_2h'))?.payload;
  await letTimePass(shop, 11_000);
  expect(settled(await dispatch(id, 'email_2h'), 'email_2h')).toBe('sent');
  expect(provider.calls).toBe(2);
  expect(provider.accepted).toHaveLength(1);
  expect((await rowOf(id, 'email_2h'))?.payload).toEqual(before);
});

test('with keys, nothing is repeated when the key may have expired', async () => {
  const id = await open('keys', { keyLifeMs: 24 * hourMs });
  provider.next({ act: 'hang', take: true });
  await dispatch(id, 'email_2h');
  await letTimePass(shop, 23 * hourMs + 60_000);
  expect(settled(await dispatch(id, 'email_2h'), 'email_2h')).toBe('unknown');
  expect(provider.calls).toBe(1);
});

test('a refusal of a repeat does not unsay the call before it', async () => {
  const id = await open('keys');
  provider.next({ act: 'hang', take: true }, { act: 'answer', status: 429 });
  await dispatch(id, 'email_2h');
  await letTimePass(shop, 11_000);
  await dispatch(id, 'email_2h');
  expect(await rowOf(id, 'email_2h')).toMatchObject({ state: 'unknown' });
});

test('a provider that can be asked is asked once it has settled, and only its answer decides', async () => {
  const id = await open('find', { settleAfterMs: 5_000 });
  provider.next({ act: 'hang', take: true }, { act: 'hang' });
  const first = await dispatch(id, 'email_2h');
  expect(first).toMatchObject({ kind: 'again' });
  await letTimePass(shop, 6_000);
  expect(settled(await dispatch(id, 'email_2h'), 'email_2h')).toBe('sent');
  expect(provider.calls).toBe(1);
});

test('what the provider denies is sent again, once', async () => {
  const id = await open('find', { settleAfterMs: 5_000 });
  provider.next({ act: 'hang' });
  await dispatch(id, 'email_2h');
  await letTimePass(shop, 6_000);
  const denied = await dispatch(id, 'email_2h');
  expect(denied).toMatchObject({ kind: 'done' });
  expect(provider.accepted).toHaveLength(0);
  await letTimePass(shop, 301_000);
  expect(settled(await dispatch(id, 'email_2h'), 'email_2h')).toBe('sent');
  expect(provider.accepted).toHaveLength(1);
});

test('the sweep ends a lease whose worker never came back; no attempt takes it over before', async () => {
  const id = await open('none');
  provider.next({ act: 'hang', take: true });
  const dying = dispatch(id, 'email_2h');
  while (provider.calls === 0) await new Promise((done) => setImmediate(done));
  // As a killed worker leaves it: claimed, live, and nobody to settle.
  await dying;
  await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.update(messages).set({ state: 'claimed', live: true }).where(eq(messages.stepId, 'email_2h')),
  );
  const early = await dispatch(id, 'email_2h');
  expect(early.kind === 'again' || settled(early, 'email_2h') === 'unknown').toBe(true);
  for (;;) {
    await sweepLeases(shop.deps);
    if ((await rowOf(id, 'email_2h'))?.live === false) break;
  }
  expect(await rowOf(id, 'email_2h')).toMatchObject({ state: 'unknown', live: false });
  expect(provider.accepted).toHaveLength(1);
});

test('429 puts the step off by 300 s, then 600 s, and is counted against the retries', async () => {
  const id = await open('none');
  provider.next({ act: 'answer', status: 429 }, { act: 'answer', status: 429 });
  const first = await dispatch(id, 'email_2h');
  if (first.kind !== 'done') throw new Error(first.kind);
  const waitMs = (first.progress.notBeforeMs['email_2h'] ?? 0) - Date.now();
  expect(waitMs).toBeGreaterThan(290_000);
  expect(waitMs).toBeLessThanOrEqual(300_000);
  await letTimePass(shop, 301_000);
  const second = await dispatch(id, 'email_2h');
  if (second.kind !== 'done') throw new Error(second.kind);
  expect((second.progress.notBeforeMs['email_2h'] ?? 0) - Date.now()).toBeGreaterThan(590_000);
  await letTimePass(shop, 601_000);
  expect(settled(await dispatch(id, 'email_2h'), 'email_2h')).toBe('sent');
  expect(await rowOf(id, 'email_2h')).toMatchObject({ refusals: 2, failures: 2 });
  // Each attempt is on record by itself.
  const attempts = (await storyOf(id)).filter(({ type }) => type.startsWith('message.'));
  const refused = { step: 'email_2h', channel: 'email', language: 'en', ms: expect.any(Number), error: expect.stringContaining('429') };
  expect(attempts.map(({ type, data }) => [type, data])).toEqual([
    ['message.failed', refused],
    ['message.failed', refused],
    ['message.sent', { step: 'email_2h', channel: 'email', language: 'en', ms: expect.any(Number) }],
  ]);
});

test('an outage of hours puts the step off and ends no enrollment; too late it is skipped as too_old', async () => {
  const id = await open('none');
  provider.always({ act: 'answer', status: 429 });
  await provider.stop();
  for (let hour = 0; hour < 5; hour++) {
    const result = await dispatch(id, 'email_2h');
    expect(settled(result, 'email_2h')).toBeUndefined();
    await letTimePass(shop, hourMs);
  }
  expect(await rowOf(id, 'email_2h')).toMatchObject({ state: 'failed', refusals: 0 });
  await letTimePass(shop, 24 * hourMs);
  expect(settled(await dispatch(id, 'email_2h'), 'email_2h')).toBe('skipped');
  expect(await rowOf(id, 'email_2h')).toMatchObject({ skipReason: 'too_old' });
});

test('an outage does not hold a step beyond its end: one whose next attempt would be too late is given up at once', async () => {
  const id = await open('none');
  await provider.stop();
  await letTimePass(shop, 19 * hourMs);
  expect(settled(await dispatch(id, 'email_2h'), 'email_2h')).toBeUndefined();
  // Three minutes before the next step is due, the second failure puts it off by ten.
  await letTimePass(shop, 2 * hourMs + 57 * 60_000);
  expect(settled(await dispatch(id, 'email_2h'), 'email_2h')).toBe('skipped');
  expect(await rowOf(id, 'email_2h')).toMatchObject({ skipReason: 'too_old', failures: 2 });
});

test('an address that does not exist is suppressed and the step is skipped with that reason', async () => {
  const id = await open('none');
  provider.next({ act: 'answer', status: 422 });
  expect(settled(await dispatch(id, 'email_2h'), 'email_2h')).toBe('skipped');
  expect(provider.calls).toBe(1);
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(suppressions));
  expect(rows).toMatchObject([{ channel: 'email', reason: 'refused' }]);
});

test('every decision is stored with the gates that it asked', async () => {
  const id = await open('none');
  await dispatch(id, 'email_2h');
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(decisions).where(eq(decisions.stepId, 'email_2h')));
  const sent = rows.find((d) => d.verdict === 'send');
  expect(sent?.checks.map((c) => c.gate)).toEqual(expect.arrayContaining(['subject_open', 'activation', 'quiet_hours', 'too_old']));
});
