import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { agreeable } from '../../bench/hot-actions.ts';
import { inbox, subjects } from '../../db/schema/index.ts';
import { integrations } from '../../integrations/index.ts';
import { applyPending } from '../../operations/accept-delivery.ts';
import type { WorkflowEngine } from '../../operations/deps.ts';
import { type FloodOptions, Floods } from '../../operations/intake/flood.ts';
import { createInboxWorker } from '../../operations/inbox-worker.ts';
import { createRelay } from '../../operations/relay-outbox.ts';
import { beyondCounting, withLenientReceiver } from '../chaos/lenient-receiver.ts';
import { asOwner } from '../helpers/database.ts';
import { aCart, openShop, type Shop } from '../helpers/shop.ts';

// docs/adr/0023-a-flood-is-stored-first.md

const always: FloodOptions = { afterMs: -1, everyMs: 0, most: 10_000 };
let shop: Shop;

beforeAll(async () => {
  shop = await openShop({ timeScale: 1, integrations: withLenientReceiver(integrations) });
});
afterAll(() => shop.close());
beforeEach(async () => {
  while ((await applyPending(shop.deps)) > 0);
  // From here on everything comes too fast.
  shop.deps.floods = new Floods(always);
});

const aName = () => `f-${randomUUID().slice(0, 8)}`;
const statusOf = ({ body }: { body: unknown }) => (body as { status?: string }).status;
const order = (cart: string, email: string) => ({ order: { id: `o-${cart}`, currency: 'EUR', total: '129.90' }, cart_id: cart, contact: { email } });
const waiting = () =>
  shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select({ id: inbox.id }).from(inbox).where(eq(inbox.state, 'pending')));
async function inPeace<T>(work: () => Promise<T>): Promise<T> {
  shop.deps.floods = new Floods();
  const result = await work();
  shop.deps.floods = new Floods(always);
  return result;
}

describe('in a flood', () => {
  test('carts are stored, answered, and applied afterwards', async () => {
    const carts = Array.from({ length: 40 }, aName);
    const answers = await Promise.all(carts.map((cart) => shop.post('cart.updated', aCart(cart, `${cart}@example.com`))));
    expect(answers.map(statusOf)).toEqual(carts.map(() => 'pending'));
    expect(await waiting()).toHaveLength(40);
    const { body } = await shop.app.inject('/metrics');
    expect(body).toMatch(/^rekindle_inbox_waiting 40$/m);
    expect(Number(/^rekindle_inbox_oldest_seconds (\S+)$/m.exec(body)?.[1])).toBeGreaterThan(0);
    expect(await shop.enrollmentOf(carts[0] ?? '')).toBeNull();
    expect(await applyPending(shop.deps)).toBe(40);
    for (const cart of carts) expect(await shop.enrollmentOf(cart)).toMatchObject({ status: 'ACTIVE' });
    expect(await waiting()).toEqual([]);
  });

  test('the last of several updates within one second stays, however they are stored and applied', async () => {
    const carts = Array.from({ length: 12 }, aName);
    const updatedAt = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    const checkout = (cart: string, total: number) => ({
      ...{ token: `checkout-${cart}`, cart_token: cart, email: `${cart}@example.com`, currency: 'EUR', total_price: `${total}.00` },
      line_items: [{ title: 'Linen runner', quantity: 1, price: `${total}.00` }],
      updated_at: updatedAt,
    });
    for (const total of [10, 20, 30]) await Promise.all(carts.map((cart) => shop.shopify('checkouts/update', checkout(cart, total))));
    expect(await waiting()).toHaveLength(36);
    await Promise.all([applyPending(shop.deps), applyPending(shop.deps)]);
    while ((await applyPending(shop.deps)) > 0);
    const kept = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx.select({ email: subjects.email, valueMinor: subjects.valueMinor }).from(subjects),
    );
    for (const cart of carts) expect(kept.filter(({ email }) => email === `${cart}@example.com`).map((s) => s.valueMinor)).toEqual([3_000]);
  });

  test('a purchase is applied at once, after what was stored before it about the same cart', async () => {
    const [cart, other] = [aName(), aName()];
    await inPeace(() => shop.post('cart.updated', aCart(cart, `${cart}@example.com`), { at: Date.now() - 60_000 }));
    expect(statusOf(await shop.post('cart.updated', aCart(cart, `${cart}@example.com`, { total: '99.00' }), { at: Date.now() - 30_000 }))).toBe(
      'pending',
    );
    expect(statusOf(await shop.post('cart.updated', aCart(other, `${other}@example.com`)))).toBe('pending');
    expect(statusOf(await shop.post('order.placed', order(cart, `${cart}@example.com`)))).toBe('applied');
    expect(await shop.enrollmentOf(cart)).toMatchObject({ endedAt: expect.any(Number) });
    expect(await waiting()).toHaveLength(1);
    expect(await applyPending(shop.deps)).toBe(1);
    expect(await shop.enrollmentOf(cart)).toMatchObject({ endedAt: expect.any(Number) });
    expect(await shop.enrollmentOf(other)).toMatchObject({ endedAt: null });
  });

  test('a purchase reaches whom a stored cart makes one person with its buyer', async () => {
    const [first, second] = [aName(), aName()];
    const [ada, adaAtWork] = [`${first}@example.com`, `${second}@example.com`];
    await inPeace(() => shop.post('cart.updated', aCart(first, ada), { at: Date.now() - 60_000 }));
    // Nobody is known by this cart or this address yet, so that it may be stored first. It says that the buyer's cart is Ada's.
    expect(statusOf(await shop.post('cart.updated', aCart(second, adaAtWork), { at: Date.now() - 40_000 }))).toBe('pending');
    const both = { ...aCart(second, ada), contact: { email: ada } };
    await shop.post('cart.updated', both, { at: Date.now() - 30_000 });
    expect(statusOf(await shop.post('order.placed', order(second, adaAtWork)))).toBe('applied');
    expect(await shop.enrollmentOf(first)).toMatchObject({ endedAt: expect.any(Number) });
  });

  test('what tells a further address of somebody known is applied before it is answered: it may bring a stop along', async () => {
    const cart = aName();
    await inPeace(() => shop.post('cart.updated', aCart(cart, `${cart}@example.com`), { at: Date.now() - 60_000 }));
    expect(statusOf(await shop.post('cart.updated', aCart(cart, `${cart}-2@example.com`), { at: Date.now() - 30_000 }))).toBe('applied');
    expect(statusOf(await shop.post('cart.updated', aCart(cart, `${cart}-2@example.com`), { at: Date.now() - 20_000 }))).toBe('pending');
  });

  test('a repeat is stored once', async () => {
    const [cart, id] = [aName(), randomUUID()];
    const post = () => shop.post('cart.updated', aCart(cart, `${cart}@example.com`), { id });
    const answers = await Promise.all([post(), post(), post()]);
    expect(answers.map((a) => a.status)).toEqual([200, 200, 200]);
    while ((await applyPending(shop.deps)) > 0);
    const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(inbox).where(eq(inbox.dedupeKey, id)));
    expect(rows.map((row) => row.state)).toEqual(['applied']);
  });

  test('one that cannot be applied is set aside when its turn comes, and the others beside it are applied', async () => {
    const carts = Array.from({ length: 5 }, aName);
    const id = randomUUID();
    const email = `${beyondCounting}.${aName()}@example.com`;
    const unstorable = await shop.post('contact.updated', { contact: { email } }, { id });
    const good = await Promise.all(carts.map((cart) => shop.post('cart.updated', aCart(cart, `${cart}@example.com`))));
    expect([unstorable, ...good].map(statusOf)).toEqual(Array.from({ length: 6 }, () => 'pending'));
    while ((await applyPending(shop.deps)) > 0);
    for (const cart of carts) expect(await shop.enrollmentOf(cart)).not.toBeNull();
    const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(inbox).where(eq(inbox.dedupeKey, id)));
    expect(rows.map((row) => row.state)).toEqual(['quarantined']);
  });

  test('ends when everything that was stored has been applied, by whatever process', async () => {
    const floods = new Floods({ ...always, afterMs: 250 });
    shop.deps.floods = floods;
    expect(floods.isFlooded(shop.tenant.tenantId, 251)).toBe(true);
    const [cart, next] = [aName(), aName()];
    expect(statusOf(await shop.post('cart.updated', aCart(cart, `${cart}@example.com`)))).toBe('pending');
    await applyPending(shop.deps);
    // This one asks, and is stored before the answer is there.
    await shop.post('cart.updated', aCart(next, `${next}@example.com`));
    await applyPending(shop.deps);
    await floods.check(shop.tenant.tenantId, () => Promise.resolve(null));
    expect(statusOf(await shop.post('cart.updated', aCart(next, `${next}@example.com`)))).toBe('applied');
  });
});

describe('while a flood arrives', () => {
  test('the worker applies nothing for a time, and goes on when it is over or has lasted long enough', async () => {
    let nowMs = 0;
    const worker = createInboxWorker({ ...shop.deps, clock: { ...shop.deps.clock, monotonicMs: () => nowMs } });
    const store = (count: number) =>
      Promise.all(Array.from({ length: count }, aName).map((cart) => shop.post('cart.updated', aCart(cart, `${cart}@example.com`))));
    // As far as this process can see, they all came within the last second.
    const arrive = () => asOwner(shop.database.url, `update inbox set received_at = clock_timestamp() + interval '1 minute' where state = 'pending'`);
    await store(49);
    await arrive();
    expect(await worker.pass()).toBe(true);
    expect(worker.isFlooded()).toBe(false);

    await store(60);
    await arrive();
    expect(await worker.pass()).toBe(false);
    expect([worker.isFlooded(), (await waiting()).length]).toEqual([true, 60]);
    nowMs = 15_000;
    expect(await worker.pass()).toBe(true);
    expect(await waiting()).toEqual([]);
    expect(await worker.pass()).toBe(false);
    expect(worker.isFlooded()).toBe(false);
  });

  test('Temporal is told later, but not later than half a minute', async () => {
    let nowMs = 0;
    let flooded = true;
    const told: string[] = [];
    const engine: WorkflowEngine = { ...agreeable, start: ({ enrollmentId }) => Promise.resolve(void told.push(enrollmentId)) };
    const pass = createRelay({ ...shop.deps, engine, clock: { ...shop.deps.clock, monotonicMs: () => nowMs } }, () => flooded);
    await inPeace(async () => {
      const cart = aName();
      await shop.post('cart.updated', aCart(cart, `${cart}@example.com`));
    });
    await pass();
    nowMs = 29_999;
    await pass();
    expect(told).toEqual([]);
    nowMs = 30_000;
    await pass();
    expect(told).not.toEqual([]);
    while (await pass());
    const before = told.length;
    await inPeace(async () => {
      const cart = aName();
      await shop.post('cart.updated', aCart(cart, `${cart}@example.com`));
    });
    flooded = false;
    await pass();
    expect(told).toHaveLength(before + 1);
  });
});

describe('what is remembered of a flood', () => {
  const stored = (names: string[], storedAtMs: number) => ({
    row: { tenantId: 't', connectionId: 'c', dedupeKey: String(storedAtMs), topic: 'cart.updated' },
    events: [],
    names: new Set(names),
    budget: null,
    storedAtMs,
  });

  test('is found by names, also over others, oldest first, and forgotten when it was applied', async () => {
    const floods = new Floods(always);
    floods.isFlooded('t', 0);
    for (const delivery of [stored(['a', 'x'], 1), stored(['b'], 2), stored(['x', 'y'], 3), stored(['c'], 4)])
      await floods.store('t', () => Promise.resolve(delivery));
    const before = (...names: string[]) => floods.before('t', () => new Set(names)).map((d) => d.storedAtMs);
    expect(before('y')).toEqual([1, 3]);
    expect(before('b', 'c')).toEqual([2, 4]);
    expect(before('z')).toEqual([]);
    await floods.check('t', () => Promise.resolve(3));
    expect(before('y', 'b')).toEqual([3]);
    expect(floods.isFlooded('t', 0)).toBe(true);
  });

  test('does not end while a delivery is being stored, nor forgets what was stored after the question', async () => {
    const floods = new Floods({ ...always, afterMs: 250 });
    floods.isFlooded('t', 251);
    let store = (): void => {};
    const storing = floods.store('t', () => new Promise((resolve) => (store = () => resolve(stored(['a'], 5)))));
    await floods.check('t', () => Promise.resolve(null));
    expect(floods.isFlooded('t', 0)).toBe(true);
    await floods.check('t', async () => {
      store();
      await storing;
      return null;
    });
    expect(floods.before('t', () => new Set(['a']))).toHaveLength(1);
    await floods.check('t', () => Promise.resolve(null));
    expect(floods.isFlooded('t', 0)).toBe(false);
  });

  test('is bounded: beyond it, deliveries are applied before they are answered', async () => {
    const floods = new Floods({ ...always, most: 2 });
    for (const at of [1, 2]) {
      expect(floods.isFlooded('t', 0)).toBe(true);
      await floods.store('t', () => Promise.resolve(stored(['a'], at)));
    }
    expect(floods.isFlooded('t', 0)).toBe(false);
  });
});
