import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test, inject } from 'vitest';
import type { Checkpoint } from '../../operations/deps.ts';
import { startScript } from '../chaos/own-process.ts';
import type { WorkerProcessConfig } from '../chaos/worker-process.ts';
import { openPool } from '../helpers/open-pool.ts';
import { aCart, openShop, type Shop, until } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { createStubSender } from '../helpers/stub-sender.ts';

// A worker is killed while each of its dispatches stands at another point; the next worker finds what it left. Most of the time is spent
// waiting for dead leases and for Temporal to miss the activities, which is wall time: all points share it.

const masterKey = randomBytes(32);
const keyedAccount = { deadlineMs: 2_500, leaseMs: 3_000, deadLeaseMs: 10_000 };

/** A worker process of a shop that is going to be killed. */
interface Doomed {
  reached(point: Checkpoint): Promise<unknown>;
  kill(): Promise<void>;
}

async function startDoomed(shop: Shop, keyedProviderPort: number | null, hangAt: { point: Checkpoint; passes: number }[]): Promise<Doomed> {
  const { url: databaseUrl } = shop.database;
  const { address, taskQueue } = shop.temporal;
  const secrets = { databaseUrl, masterKey: masterKey.toString('base64') };
  const config: WorkerProcessConfig = {
    ...{ ...secrets, smtpUrl: shop.smtp.url, address, taskQueue, hangAt, keyedProviderPort },
    presetsFile: inject('presetsFile'),
  };
  const { child, ready } = await startScript('tests/chaos/worker-process.ts', { args: [JSON.stringify(config)] });
  const messages: unknown[] = [];
  child.on('message', (m) => messages.push(m));
  await ready;
  return {
    reached: (point) => until(`the worker to reach ${point}`, () => messages.includes(point), 60_000),
    async kill() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** Read from outside, with patience, because this process is busy. */
function lookInto(shop: Shop) {
  const owner = openPool({ connectionString: shop.database.url, max: 1 });
  return {
    /** What the ledger says about a step of the cart; null: nothing. */
    async stateOf(cart: string, stepId: string): Promise<string | null> {
      const { rows } = await owner.query<{ state: string }>(
        `select m.state from messages m join enrollments e on e.id = m.enrollment_id join subject_keys k on k.subject_id = e.subject_id
         where k.value = $1 and m.step_id = $2`,
        [cart, stepId],
      );
      return rows[0]?.state ?? null;
    },
    close: () => owner.end(),
  };
}

const emailOf = (cart: string) => `${cart}@example.com`;
const begin = (shop: Shop, ...carts: string[]) => Promise.all(carts.map((cart) => shop.deliver('cart.updated', aCart(cart, emailOf(cart)))));

describe('over SMTP, a worker that is killed', () => {
  const carts = ['cart-1', 'cart-2', 'cart-3', 'cart-4'];
  let shop: Shop;
  let ledger: ReturnType<typeof lookInto>;
  /** Which cart the kill has met at which point. */
  const met = { beforeClaim: '', claimed: '', accepted: ['', ''] };
  const firstMailsTo = (cart: string) =>
    shop.smtp.accepted.filter((m) => m.envelope.to.includes(emailOf(cart)) && m.raw.includes('.email_2h@')).length;

  beforeAll(async () => {
    shop = await openShop({ masterKey, timeScale: 3_600 });
    ledger = lookInto(shop);
    const doomed = await startDoomed(shop, null, [
      // The silent steps of the three come first.
      { point: 'dispatch.session_open', passes: 3 },
      { point: 'dispatch.claimed', passes: 0 },
      { point: 'dispatch.called', passes: 0 },
    ]);
    await begin(shop, ...carts.slice(0, 3));
    await Promise.all([doomed.reached('dispatch.session_open'), doomed.reached('dispatch.claimed'), doomed.reached('dispatch.called')]);
    // The fourth email is taken, and the answer does not come.
    shop.smtp.always({ at: 'dot', act: 'hang', taking: true });
    await begin(shop, ...carts.slice(3));
    await until('the fourth mail to be taken', () => shop.smtp.accepted.length === 2);
    await doomed.kill();
    shop.smtp.behave();
    met.accepted = carts.filter((cart) => firstMailsTo(cart) === 1);
    for (const cart of carts) {
      const state = await ledger.stateOf(cart, 'email_2h');
      if (state === null) met.beforeClaim = cart;
      else if (firstMailsTo(cart) === 0) met.claimed = cart;
    }
    await shop.startWorker();
  }, 180_000);
  afterAll(async () => {
    await ledger.close();
    await shop.close();
  });

  test('before the claim: nothing was sent, and the next worker sends once', async () => {
    expect(carts).toContain(met.beforeClaim);
    await until('the first mail to be sent', async () => (await ledger.stateOf(met.beforeClaim, 'email_2h')) === 'sent', 90_000);
    expect(firstMailsTo(met.beforeClaim)).toBe(1);
  });

  test('after the claim, before the call: unknown, never sent', async () => {
    expect(carts).toContain(met.claimed);
    await until('the row to be unknown', async () => (await ledger.stateOf(met.claimed, 'email_2h')) === 'unknown', 90_000);
    await until('the sequence to go on', async () => (await ledger.stateOf(met.claimed, 'email_24h')) === 'sent', 90_000);
    expect(firstMailsTo(met.claimed)).toBe(0);
  });

  test('after the provider accepted, before its answer came or before the outcome was written: unknown, never sent again', async () => {
    expect(met.accepted).toHaveLength(2);
    for (const cart of met.accepted) {
      await until('the row to be unknown', async () => (await ledger.stateOf(cart, 'email_2h')) === 'unknown', 90_000);
      await until('the sequence to go on', async () => (await ledger.stateOf(cart, 'email_24h')) === 'sent', 90_000);
      expect(firstMailsTo(cart)).toBe(1);
    }
  });
});

describe('with a provider that knows keys, a worker that is killed', () => {
  const carts = ['cart-1', 'cart-2', 'cart-3'];
  let provider: StubProvider;
  let shop: Shop;
  let ledger: ReturnType<typeof lookInto>;
  let acceptedBefore = 0;

  beforeAll(async () => {
    provider = await startStubProvider(true);
    shop = await openShop({ masterKey, timeScale: 3_600, sender: createStubSender(provider.port, { kind: 'keys', times: keyedAccount }) });
    ledger = lookInto(shop);
    const doomed = await startDoomed(shop, provider.port, [
      { point: 'dispatch.claimed', passes: 0 },
      { point: 'dispatch.called', passes: 0 },
    ]);
    await begin(shop, ...carts.slice(0, 2));
    await Promise.all([doomed.reached('dispatch.claimed'), doomed.reached('dispatch.called')]);
    provider.next({ act: 'hang', take: true });
    await begin(shop, ...carts.slice(2));
    await until('the third message to be taken', () => provider.accepted.length === 2);
    await doomed.kill();
    acceptedBefore = provider.accepted.length;
    await shop.startWorker();
  }, 180_000);
  afterAll(async () => {
    await ledger.close();
    await shop.close();
    await provider.stop();
  });

  test('after the claim, after the acceptance, before the outcome was written: exactly one acceptance in the end', async () => {
    expect(acceptedBefore).toBe(2);
    for (const cart of carts) {
      await until('the row to be sent', async () => (await ledger.stateOf(cart, 'email_2h')) === 'sent', 90_000);
      await until('the sequence to go on', async () => (await ledger.stateOf(cart, 'email_24h')) === 'sent', 90_000);
    }
    const first = provider.accepted.filter((a) => a.key.endsWith(':email_2h')).map((a) => a.key);
    expect(first).toHaveLength(carts.length);
    expect(new Set(first).size).toBe(carts.length);
    // Each was dispatched twice, except the one that was never called.
    expect(provider.calls).toBeGreaterThanOrEqual(5);
  });
});
