import { randomUUID } from 'node:crypto';
import { and, eq, inArray } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { conversions, enrollments, inbox } from '../../db/schema/index.ts';
import { integrations } from '../../integrations/index.ts';
import { DeliverySets, type SetSteps } from '../../operations/intake/delivery-sets.ts';
import { beyondCounting, withLenientReceiver } from '../chaos/lenient-receiver.ts';
import { aCart, openShop, type Shop } from '../helpers/shop.ts';

describe('gathering', () => {
  /** Sets that finish when told to; deliveries overlap when they begin with the same letter. */
  function gathered({ atOnce = 1, most = 16, failing = false } = {}) {
    const calls: string[][] = [];
    const finish: (() => void)[] = [];
    const wait = () => new Promise<void>((done) => finish.push(done));
    const gatherer = new DeliverySets<string, string>({ atOnce, most });
    const steps: SetSteps<string, string> = {
      async applyOne(delivery) {
        calls.push([delivery]);
        await wait();
        return `${delivery} alone`;
      },
      async applySet(_tenant, deliveries) {
        calls.push(deliveries);
        await wait();
        if (failing) throw new Error('not as a set');
        return deliveries.map((d) => (d.endsWith('!') ? null : `${d} together`));
      },
      overlap: (a, b) => a[0] === b[0],
      wanted: (delivery) => !delivery.endsWith('?'),
    };
    const sets = {
      apply: (tenant: string, delivery: string) => gatherer.apply(tenant, delivery, steps),
      longestWaitMs: () => gatherer.longestWaitMs(),
    };
    const finishAll = async () => {
      for (let idle = 0; idle < 20; idle++) {
        while (finish.length > 0) finish.shift()?.();
        await Promise.resolve();
      }
    };
    return { sets, calls, finishAll };
  }

  test('a single delivery is applied at once', async () => {
    const { sets, calls, finishAll } = gathered();
    const answer = sets.apply('t', 'a1');
    expect(calls).toEqual([['a1']]);
    await finishAll();
    expect(await answer).toBe('a1 alone');
  });

  test('what comes meanwhile goes together, in order, up to a bound, and never beside what it overlaps', async () => {
    const { sets, calls, finishAll } = gathered({ most: 3 });
    const answers = ['a1', 'b1', 'c1', 'b2', 'd1', 'e1'].map((d) => sets.apply('t', d));
    await finishAll();
    expect(await Promise.all(answers)).toEqual(['a1 alone', 'b1 together', 'c1 together', 'b2 together', 'd1 together', 'e1 together']);
    // `d1` goes ahead of `b2`, which has to wait for `b1`; `b2` keeps its place before `e1`.
    expect(calls).toEqual([['a1'], ['b1', 'c1', 'd1'], ['b2', 'e1']]);
  });

  test('a set that fails is done one by one, and so is a delivery that the set leaves out', async () => {
    const failing = gathered({ failing: true });
    const answers = ['a1', 'b1', 'c1'].map((d) => failing.sets.apply('t', d));
    await failing.finishAll();
    expect(await Promise.all(answers)).toEqual(['a1 alone', 'b1 alone', 'c1 alone']);
    const leftOut = gathered();
    const others = ['a1', 'b1!', 'c1'].map((d) => leftOut.sets.apply('t', d));
    await leftOut.finishAll();
    expect(await Promise.all(others)).toEqual(['a1 alone', 'b1! alone', 'c1 together']);
  });

  test('a delivery whose caller has given up leaves the queue', async () => {
    const { sets, calls, finishAll } = gathered();
    const answers = ['a1', 'b1?', 'c1'].map((d) => sets.apply('t', d));
    const settled = Promise.allSettled(answers);
    await finishAll();
    expect((await settled).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(calls).toEqual([['a1'], ['c1']]);
    expect(sets.longestWaitMs()).toBe(0);
  });

  test('tenants are never mixed', async () => {
    const { sets, calls, finishAll } = gathered();
    const answers = ['a1', 'b1', 'c1'].flatMap((d) => [sets.apply('t', d), sets.apply('u', `${d}u`)]);
    await finishAll();
    await Promise.all(answers);
    expect(calls.every((call) => new Set(call.map((d) => d.endsWith('u'))).size === 1)).toBe(true);
  });
});

describe('deliveries that arrive at once', () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await openShop({ timeScale: 1, integrations: withLenientReceiver(integrations) });
  });
  afterAll(() => shop.close());
  const rows = <T>(query: (tx: Parameters<Parameters<Shop['deps']['db']['withTenant']>[1]>[0]) => Promise<T>) =>
    shop.deps.db.withTenant(shop.tenant.tenantId, query);
  /** As a shop does: the same delivery again while the answer is 503, which a busy machine gives when the time for it is over. */
  async function send(type: string, data: Record<string, unknown>, id: string = randomUUID()): ReturnType<Shop['post']> {
    for (;;) {
      const answer = await shop.post(type, data, { id });
      if (answer.status !== 503) return answer;
    }
  }
  const order = (cart: string, email: string) => ({
    order: { id: `o-${cart}`, currency: 'EUR', total: '129.90' },
    cart_id: cart,
    contact: { email },
  });

  test('carts, orders, repeats and a delivery that cannot be stored: each takes effect once and is answered by itself', async () => {
    const names = Array.from({ length: 60 }, () => `s-${randomUUID().slice(0, 8)}`);
    const emailOf = (cart: string) => `${cart}@example.com`;
    const ids = names.map(() => randomUUID());
    const begun = await Promise.all(names.map((cart, i) => send('cart.updated', aCart(cart, emailOf(cart)), ids[i])));
    expect(begun.every((a) => a.status === 200)).toBe(true);
    const repeats = names.map((cart, i) => send('cart.updated', aCart(cart, emailOf(cart)), ids[i]));
    const bought = names.slice(0, 30).map((cart) => send('order.placed', order(cart, emailOf(cart))));
    // Postgres refuses it, and with it the whole set that it goes into.
    const unstorable = send('contact.updated', { contact: { email: `${beyondCounting}.x@example.com` } });
    const answers = await Promise.all([...repeats, ...bought]);
    expect(answers.every((a) => a.status === 200)).toBe(true);
    expect(answers.slice(0, 60).every((a) => (a.body as { status: string }).status === 'repeated')).toBe(true);
    // It is kept, and its sender is told what to correct.
    expect((await unstorable).status).toBe(422);

    const stored = await rows((tx) => tx.select().from(inbox).where(inArray(inbox.dedupeKey, ids)));
    expect(stored).toHaveLength(60);
    for (const [index, cart] of names.entries()) {
      const enrollment = await shop.enrollmentOf(cart);
      expect(enrollment?.endedAt === null, cart).toBe(index >= 30);
    }
    const orders = await rows((tx) => tx.select().from(conversions));
    expect(orders.filter((o) => o.orderId.startsWith('o-s-'))).toHaveLength(30);
  });

  test('updates of one cart and of one person never share a set, so that none is lost', async () => {
    const cart = `s-${randomUUID().slice(0, 8)}`;
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => send('cart.updated', aCart(i % 2 === 0 ? cart : `${cart}-${i}`, `${cart}@example.com`))),
    );
    expect(answers.every((a) => a.status === 200)).toBe(true);
    const contactId = (await shop.enrollmentOf(cart))?.contactId ?? '';
    const open = await rows((tx) =>
      tx
        .select()
        .from(enrollments)
        .where(and(eq(enrollments.contactId, contactId), eq(enrollments.status, 'ACTIVE'))),
    );
    // One person, one conversation: every other cart gave way, whichever order they came in.
    expect(open).toHaveLength(1);
  });
});
