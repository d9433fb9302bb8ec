import { afterEach, beforeEach, expect, test } from 'vitest';
import { agreeable } from '../../bench/hot-actions.ts';
import { outbox } from '../../db/schema/index.ts';
import type { WorkflowEngine } from '../../operations/deps.ts';
import { createRelay, relayOutbox } from '../../operations/relay-outbox.ts';
import { aCart, letTimePass, openShop, type Shop } from '../helpers/shop.ts';

// What the relay does with rows that could not be sent to Temporal.

const claimMs = 15_000;
const away: WorkflowEngine = { ...agreeable, start: () => Promise.reject(new Error('Temporal is away')) };

let shop: Shop;
beforeEach(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterEach(() => shop.close());

const leave = (count: number) =>
  Promise.all(Array.from({ length: count }, (_, i) => shop.post('cart.updated', aCart(`cart-${i}`, `shopper-${i}@example.com`))));
const rows = () => shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(outbox));

test('rows are put off together: it takes no longer for many than for one', async () => {
  await leave(30);
  let transactions = 0;
  const db: typeof shop.deps.db = { ...shop.deps.db, withTenant: (...call) => (transactions++, shop.deps.db.withTenant(...call)) };
  expect(await relayOutbox({ ...shop.deps, db, engine: away })).toEqual({ taken: 30, failed: 30, held: 0 });
  // One statement reads the batch, one puts it off.
  expect(transactions).toBe(2);
  expect((await rows()).map((row) => [row.attempts, row.claimedUntil, row.lastError])).toEqual(Array(30).fill([1, null, 'Temporal is away']));
  const rests = (await rows()).map((row) => row.nextAttemptAt - row.createdAt);
  expect(Math.min(...rests)).toBeGreaterThanOrEqual(500);

  await letTimePass(shop, 1_000);
  expect(await relayOutbox({ ...shop.deps, engine: agreeable })).toEqual({ taken: 30, failed: 0, held: 0 });
  expect(await rows()).toEqual([]);
});

test('where Postgres is away as well, the pass says so, and the rows come again when their claims are over', async () => {
  await leave(3);
  let transactions = 0;
  const db: typeof shop.deps.db = {
    ...shop.deps.db,
    withTenant: (...call) => (++transactions === 1 ? shop.deps.db.withTenant(...call) : Promise.reject(new Error('Postgres is away'))),
  };
  await expect(relayOutbox({ ...shop.deps, db, engine: away })).rejects.toThrow('Postgres is away');
  expect(await relayOutbox({ ...shop.deps, engine: agreeable })).toEqual({ taken: 0, failed: 0, held: 0 });
  await letTimePass(shop, claimMs + 1_000);
  expect(await relayOutbox({ ...shop.deps, engine: agreeable })).toEqual({ taken: 3, failed: 0, held: 0 });
});

test('a row that another process has taken meanwhile is left to that one', async () => {
  await leave(1);
  const failures: (() => void)[] = [];
  const hanging: WorkflowEngine = {
    ...agreeable,
    start: () => new Promise((_resolve, reject) => failures.push(() => reject(new Error('Temporal is away')))),
  };
  const asked = (times: number) => expect.poll(() => failures.length).toBe(times);
  const first = relayOutbox({ ...shop.deps, engine: hanging });
  await asked(1);
  await letTimePass(shop, claimMs + 1_000);
  const second = relayOutbox({ ...shop.deps, engine: hanging });
  await asked(2);
  failures[0]?.();
  await first;
  expect((await rows()).map((row) => [row.attempts, row.claimedUntil === null])).toEqual([[2, false]]);
  failures[1]?.();
  await second;
  expect((await rows()).map((row) => [row.attempts, row.claimedUntil === null])).toEqual([[2, true]]);
});

test('while Temporal is away one row a second asks, however often the relay is kicked; when it is back, everything goes at once', async () => {
  await leave(60);
  let nowMs = 0;
  let asked = 0;
  let isAway = true;
  const engine: WorkflowEngine = {
    ...agreeable,
    start: async () => {
      asked += 1;
      if (isAway) throw new Error('Temporal is away');
    },
  };
  const pass = createRelay({ ...shop.deps, engine, clock: { ...shop.deps.clock, monotonicMs: () => nowMs } });
  const triedMs = Date.now();
  expect(await pass()).toBe(false);
  expect(asked).toBe(50);
  for (let kick = 0; kick < 20; kick++) expect(await pass()).toBe(false);
  expect(asked).toBe(50);
  nowMs += 1_001;
  expect(await pass()).toBe(false);
  expect(asked).toBe(51);

  isAway = false;
  nowMs += 1_001;
  expect(await pass()).toBe(true);
  expect(asked).toBe(52);
  while (await pass());
  // What had not been tried is there already; what had been rests for a second, which may be over on a busy machine.
  const resting = (await rows()).length;
  if (Date.now() - triedMs < 1_000) expect(resting).toBe(51);
  else expect(resting).toBeLessThanOrEqual(51);
  await letTimePass(shop, 1_000);
  while (await pass());
  expect(await rows()).toEqual([]);
});

test('a row that fails for a reason of its own does not hold up the others', async () => {
  await leave(5);
  let nowMs = 0;
  const [bad] = await rows();
  const engine: WorkflowEngine = {
    ...agreeable,
    start: async ({ enrollmentId }) => {
      if (enrollmentId === bad?.enrollmentId) throw new Error('its own');
    },
  };
  const pass = createRelay({ ...shop.deps, engine, clock: { ...shop.deps.clock, monotonicMs: () => nowMs } });
  expect(await pass()).toBe(true);
  expect((await rows()).map((row) => row.enrollmentId)).toEqual([bad?.enrollmentId]);
  // Alone it looks as if Temporal were away, for a second; what comes next goes all the same.
  await letTimePass(shop, 1_000);
  expect(await pass()).toBe(false);
  await shop.post('cart.updated', aCart('cart-next', 'next@example.com'));
  nowMs += 1_001;
  expect(await pass()).toBe(true);
  expect(await rows()).toHaveLength(1);
});
