import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { suppressions } from '../../db/schema/index.ts';
import { systemClock } from '../../operations/clock.ts';
import type { Checkpoint } from '../../operations/deps.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { createLeaseWatch } from '../../operations/lease-watch.ts';
import { aCart, letTimePass, openShop, type Shop, until } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { createStubSender } from '../helpers/stub-sender.ts';

// What comes late, hangs, or cannot be applied, must not hold up or lose anything else.

let shop: Shop;
let provider: StubProvider | null = null;
afterEach(async () => {
  await shop.close();
  await provider?.stop();
  provider = null;
});

test('a ledger query that never answers does not outlast the leases that a stop waits for', async () => {
  shop = await openShop();
  // As a connection does whose other end has vanished: no answer, no error, for minutes.
  const silent = { ...shop.deps.db, settling: () => new Promise<never>(() => undefined) };
  let result: string | null = null;
  void createLeaseWatch(silent, systemClock)
    .wait(shop.tenant.tenantId, [{ claim: randomUUID(), leaseMs: 300 }], systemClock.monotonicMs(), 1_000)
    .then((r) => (result = r));
  expect(await until('the lease to be over', () => result, 3_000)).toBe('lease_over');
});

test('an address that was refused for good is remembered, also when its person was locked at that moment', async () => {
  provider = await startStubProvider(false);
  const locker = { client: null as pg.Client | null };
  let at: Checkpoint | null = 'dispatch.called';
  shop = await openShop({
    timeScale: 1,
    sender: createStubSender(provider.port, { kind: 'none' }),
    checkpoints: async (point) => {
      if (point !== at || provider?.calls !== 1) return;
      at = null;
      const client = new pg.Client({ connectionString: shop.database.url });
      await client.connect();
      await client.query('begin');
      await client.query('select id from contacts for no key update');
      locker.client = client;
    },
  });
  await shop.post('cart.updated', aCart('cart-1', 'ada@example.com'));
  const enrollment = await until('the enrollment', () => shop.enrollmentOf('cart-1'));
  const { tenantId } = shop.tenant;
  await letTimePass(shop, 2 * 3_600_000 + 1_000);
  await dispatchStep(shop.deps, { tenantId, enrollmentId: enrollment.id, stepId: 'popup_1h' });
  provider.next({ act: 'answer', status: 422 });
  const first = await dispatchStep(shop.deps, { tenantId, enrollmentId: enrollment.id, stepId: 'email_2h' });
  expect(first).toMatchObject({ kind: 'again' });
  await locker.client?.query('rollback');
  await locker.client?.end();
  await letTimePass(shop, 301_000);
  await dispatchStep(shop.deps, { tenantId, enrollmentId: enrollment.id, stepId: 'email_2h' });
  expect(await shop.deps.db.withTenant(tenantId, (tx) => tx.select().from(suppressions))).toMatchObject([{ channel: 'email', reason: 'refused' }]);
  expect(provider.calls).toBe(1);
});
