import { and, eq } from 'drizzle-orm';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { afterEach, expect, test } from 'vitest';
import { CommitUnclearError } from '../../db/client.ts';
import { connections, messages } from '../../db/schema/index.ts';
import type { Sender } from '../../integrations/port.ts';
import { systemClock } from '../../operations/clock.ts';
import { recordProof } from '../../operations/dispatch/fence.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { sweepLeases } from '../../operations/sweep-leases.ts';
import { aCart, letTimePass, openShop, type Shop, type ShopOptions, until } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { createStubSender } from '../helpers/stub-sender.ts';

// The fence where a row stays in doubt, an account changes, or Postgres does not acknowledge.

const hourMs = 3_600_000;
const short = { deadlineMs: 1_500, leaseMs: 1_700, deadLeaseMs: 2_000 };
let shop: Shop;
const providers: StubProvider[] = [];

async function provide(knowsKeys: boolean): Promise<StubProvider> {
  const provider = await startStubProvider(knowsKeys);
  providers.push(provider);
  return provider;
}
async function open(sender: Sender, more: Partial<ShopOptions> = {}): Promise<string> {
  shop = await openShop({ timeScale: 1, sender, ...more });
  await shop.post('cart.updated', aCart('cart-1', 'ada@example.com'));
  const enrollment = await shop.enrollmentOf('cart-1');
  if (enrollment === null) throw new Error('no enrollment');
  await letTimePass(shop, 2 * hourMs + 1_000);
  await dispatch(enrollment.id, 'popup_1h');
  return enrollment.id;
}
afterEach(async () => {
  await shop.close();
  for (const provider of providers.splice(0)) await provider.stop();
});

const dispatch = (enrollmentId: string, stepId: string, deps = shop.deps) =>
  dispatchStep(deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId });
const rowOf = async (enrollmentId: string, stepId: string) => (await shop.ledgerOf(enrollmentId)).find((m) => m.stepId === stepId);

/** The tenant connects an account of its own: from now on its email leaves through `sender`. */
async function connectOwnAccount(sender: Sender): Promise<void> {
  const { tenantId } = shop.tenant;
  shop.deps.createSenders = () => [sender];
  await shop.deps.db.withTenant(tenantId, (tx) =>
    tx.insert(connections).values({ tenantId, id: uuidv7(), integration: 'smtp', name: 'own account', sealedConfig: shop.deps.sealing.seal('{}') }),
  );
}

test('with keys, a call in doubt is never repeated through another account than the one it was made with', async () => {
  const [first, second] = [await provide(true), await provide(true)];
  const id = await open(createStubSender(first.port, { kind: 'keys', times: short }));
  first.next({ act: 'reset', take: true });
  expect(await dispatch(id, 'email_2h')).toMatchObject({ kind: 'again' });
  await connectOwnAccount(createStubSender(second.port, { kind: 'keys', times: short }));
  await letTimePass(shop, 11_000);
  await dispatch(id, 'email_2h');
  expect(first.accepted.length + second.accepted.length).toBe(1);
});

test.each(['dispatch', 'sweep'] as const)('only the provider that was called is asked about a call in doubt (by the %s)', async (who) => {
  const [first, second] = [await provide(false), await provide(false)];
  const id = await open(createStubSender(first.port, { kind: 'find', settleAfterMs: 5_000, times: short }));
  first.next({ act: 'hang', take: true });
  expect(await dispatch(id, 'email_2h')).toMatchObject({ kind: 'again' });
  await connectOwnAccount(createStubSender(second.port, { kind: 'find', settleAfterMs: 5_000, times: short }));
  await letTimePass(shop, 6_000);
  if (who === 'sweep') await sweepLeases(shop.deps);
  else await dispatch(id, 'email_2h');
  expect(await rowOf(id, 'email_2h')).not.toMatchObject({ state: 'failed' });
  await letTimePass(shop, 301_000);
  await dispatch(id, 'email_2h');
  expect(first.accepted.length + second.accepted.length).toBe(1);
});

test('with keys, a provider that is down after a call in doubt does not leave it unknown for good', async () => {
  const provider = await provide(true);
  const stub = createStubSender(provider.port, { kind: 'keys', times: short });
  let down = false;
  const id = await open({ ...stub, open: () => (down ? Promise.reject(new Error('connection refused')) : stub.open()) });
  provider.next({ act: 'reset' });
  expect(await dispatch(id, 'email_2h')).toMatchObject({ kind: 'again' });
  await letTimePass(shop, 11_000);
  down = true;
  // `done` would send the workflow on to the next step, and nobody would ever repeat the call with its key.
  expect(await dispatch(id, 'email_2h')).toMatchObject({ kind: 'again' });
  down = false;
  await letTimePass(shop, 301_000);
  await dispatch(id, 'email_2h');
  expect(provider.accepted).toHaveLength(1);
});

test('a failed step that is tried again by a worker whose clock is a little behind counts no outage that did not happen', async () => {
  const provider = await provide(false);
  let nowMs: number | null = null;
  const clock = { ...systemClock, nowMs: () => nowMs ?? Date.now() };
  const id = await open(createStubSender(provider.port, { kind: 'none', times: short }), { clock });
  provider.next({ act: 'answer', status: 429 });
  const refused = await dispatch(id, 'email_2h');
  if (refused.kind !== 'done') throw new Error(refused.kind);
  // Temporal's timer has fired at this instant; this worker's clock says 100 ms less.
  nowMs = (refused.progress.notBeforeMs['email_2h'] ?? 0) - 100;
  const again = await dispatch(id, 'email_2h');
  expect(await rowOf(id, 'email_2h')).toMatchObject({ failures: 1 });
  expect(again).toMatchObject({ kind: 'done', progress: { settled: { email_2h: { outcome: 'sent' } } } });
});

test('a message whose acceptance was proven meanwhile stays `sent` when a worker finds its own uncalled claim', async () => {
  const provider = await provide(true);
  const id = await open(createStubSender(provider.port, { kind: 'keys', times: short }));
  provider.next({ act: 'reset', take: true });
  await dispatch(id, 'email_2h');
  await letTimePass(shop, 11_000);
  const { tenantId } = shop.tenant;
  let unclear = true;
  const withTenant: typeof shop.deps.db.withTenant = async (tenant, work) => {
    const result = await shop.deps.db.withTenant(tenant, work);
    if (unclear && typeof result === 'object' && result !== null && 'kind' in result && result.kind === 'claimed') {
      unclear = false;
      await shop.deps.db.withTenant(tenantId, async (tx) => {
        const [row] = await tx
          .select()
          .from(messages)
          .where(and(eq(messages.enrollmentId, id), eq(messages.stepId, 'email_2h')));
        await recordProof(tx, row?.id ?? '');
      });
      throw new CommitUnclearError(new Error('the connection was lost'));
    }
    return result;
  };
  const result = await dispatch(id, 'email_2h', { ...shop.deps, db: { ...shop.deps.db, withTenant } });
  expect(unclear).toBe(false);
  expect(await rowOf(id, 'email_2h')).toMatchObject({ state: 'sent', live: false });
  expect(result).toMatchObject({ kind: 'done' });
  expect(provider.calls).toBe(1);
});

test('a Postgres that acknowledges no COMMIT is not hammered: after a few attempts the step is put off', async () => {
  const provider = await provide(false);
  const stub = createStubSender(provider.port, { kind: 'none', times: short });
  let sessions = 0;
  const id = await open({
    ...stub,
    open: () => {
      sessions += 1;
      return stub.open();
    },
  });
  const withTenant: typeof shop.deps.db.withTenant = async (tenant, work) => {
    const result = await shop.deps.db.withTenant(tenant, work);
    // As with a lost synchronous standby: committed here, acknowledged with a warning.
    if (result === 'start_over' || (typeof result === 'object' && result !== null && 'kind' in result))
      throw new CommitUnclearError(new Error('warning'));
    return result;
  };
  const deps = { ...shop.deps, db: { ...shop.deps.db, withTenant } };
  const result = await dispatchStep(
    deps,
    { tenantId: shop.tenant.tenantId, enrollmentId: id, stepId: 'email_2h' },
    AbortSignal.timeout(60_000),
  ).catch(() => 'went on for a minute');
  expect(result).not.toBe('went on for a minute');
  // Four a second at most, until the lease of a claim that may be its own is dead: ten seconds by the slowest sender.
  expect(sessions).toBeLessThan(50);
  expect(provider.calls).toBe(0);
});

test('a call in doubt is not repeated to an address that has opted out, also when the cart belongs to another by now', async () => {
  const provider = await provide(true);
  const id = await open(createStubSender(provider.port, { kind: 'keys', times: short }));
  provider.next({ act: 'reset' });
  expect(await dispatch(id, 'email_2h')).toMatchObject({ kind: 'again' });
  await shop.post('cart.updated', aCart('cart-1', 'grace@example.com'), { at: Date.now() - 2 * hourMs });
  await shop.post('contact.opted_out', { contact: { email: 'ada@example.com' } });
  await letTimePass(shop, 11_000);
  const result = await dispatch(id, 'email_2h');
  expect(result).toMatchObject({ kind: 'done', progress: { settled: { email_2h: { outcome: 'unknown' } } } });
  expect(provider.accepted).toHaveLength(0);
});

test('a claim whose COMMIT is unclear is not forgotten when the person is locked at the next attempt', async () => {
  const provider = await provide(false);
  const id = await open(createStubSender(provider.port, { kind: 'none', times: short }));
  const locker = new pg.Client({ connectionString: shop.database.url });
  await locker.connect();
  let unclear = true;
  const withTenant: typeof shop.deps.db.withTenant = async (tenant, work) => {
    const result = await shop.deps.db.withTenant(tenant, work);
    if (unclear && typeof result === 'object' && result !== null && 'kind' in result && result.kind === 'claimed') {
      unclear = false;
      await locker.query('begin');
      await locker.query('select id from contacts for no key update');
      throw new CommitUnclearError(new Error('the connection was lost'));
    }
    return result;
  };
  const dispatched = dispatch(id, 'email_2h', { ...shop.deps, db: { ...shop.deps.db, withTenant } });
  // Longer than a lock is waited for: the next look fails on it at least once.
  await until('a look to fail on the lock', async () => {
    const { rows } = await locker.query(`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
    return rows.length > 0;
  });
  await until('that look to give up', async () => {
    const { rows } = await locker.query(`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
    return rows.length === 0;
  });
  await locker.query('rollback');
  await locker.end();
  const result = await dispatched;
  const last = result.kind === 'again' ? await dispatch(id, 'email_2h') : result;
  expect(last).toMatchObject({ kind: 'done', progress: { settled: { email_2h: { outcome: 'sent' } } } });
  expect(provider.accepted).toHaveLength(1);
});
