import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assignments, contacts, sequences } from '../../db/schema/index.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { pointOf } from '../../operations/dispatch/assignment.ts';
import { enrollByHand } from '../../operations/enroll-by-hand.ts';
import { explainEnrollment } from '../../operations/read/explain.ts';
import { readHoldouts } from '../../operations/read/holdouts.ts';
import { readSums } from '../../operations/read/sums.ts';
import { ask } from '../api/left-carts.ts';
import { publishYaml } from '../helpers/publish-yaml.ts';
import { aCart, letTimePass, openShop, type Shop, until } from '../helpers/shop.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

const inTenant = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);
const publish = (holdout: string) =>
  publishYaml(
    shop,
    `sequence: cart\nname: Cart\non: cart.abandoned\nholdout: ${holdout}\nreentry: { cooldown: 1h }\nsteps:\n  - { id: mail, at: 2h, channel: email, content: cart/mail }\n  - { id: later, at: 30h, channel: email, content: cart/mail }\n`,
  );
const dispatch = (enrollmentId: string, stepId = 'mail') => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId });

let counter = 0;
interface Left {
  cart: string;
  email: string;
  id: string;
  heldOut: boolean;
}
/** Somebody who left a cart two hours ago, and in which arm they will be at 50 %. */
async function leave(email = `held-${++counter}@example.com`): Promise<Left> {
  const cart = `cart-${++counter}`;
  await shop.post('cart.updated', aCart(cart, email));
  const { id, sequenceId, contactId } = await until('the enrollment', () => shop.enrollmentOf(cart));
  await letTimePass(shop, 2 * hourMs + 1_000);
  const [contact] = await inTenant((tx) => tx.select().from(contacts).where(eq(contacts.id, contactId)));
  return { cart, email, id, heldOut: pointOf(sequenceId, contact?.personId ?? '') < 0.5 };
}
/** One of each arm. */
async function leaveInBoth(): Promise<{ heldOut: Left; treated: Left }> {
  const found: Partial<Record<'heldOut' | 'treated', Left>> = {};
  while (found.heldOut === undefined || found.treated === undefined) {
    const left = await leave();
    found[left.heldOut ? 'heldOut' : 'treated'] = left;
  }
  return { heldOut: found.heldOut, treated: found.treated };
}
const assigned = async (left: Left) => {
  const enrollment = await shop.enrollmentOf(left.cart);
  return inTenant((tx) =>
    tx
      .select()
      .from(assignments)
      .where(eq(assignments.contactId, enrollment?.contactId ?? '')),
  );
};

describe('half of the people held out', () => {
  test('one arm gets nothing and ends as it is activated, the other gets everything; both are stored before the first send', async () => {
    await publish('50%');
    const { heldOut, treated } = await leaveInBoth();
    expect(await dispatch(heldOut.id)).toMatchObject({ kind: 'done', ended: 'holdout' });
    expect(await dispatch(treated.id)).toMatchObject({ kind: 'done', ended: null, progress: { settled: { mail: { outcome: 'sent' } } } });
    expect(await shop.enrollmentOf(heldOut.cart)).toMatchObject({
      status: 'EXITED',
      stopReason: 'holdout',
      activatedAt: expect.any(Number) as number,
    });
    expect(await assigned(heldOut)).toMatchObject([{ arm: 'holdout', share: 0.5 }]);
    expect(await assigned(treated)).toMatchObject([{ arm: 'treated', share: 0.5 }]);
    const explained = await explainEnrollment(shop.deps, shop.tenant.tenantId, heldOut.id);
    expect(explained?.enrollment.summary).toContain('is among those who get nothing, so that the effect can be measured');
    expect((await shop.ledgerOf(heldOut.id)).map((m) => m.state)).toEqual(['skipped']);
  });

  test('the same person gets the same arm with every further cart, whatever the share is by then', async () => {
    await publish('50%');
    const { heldOut, treated } = await leaveInBoth();
    for (const { id } of [heldOut, treated]) await dispatch(id);
    await shop.post('order.placed', { order: { id: randomUUID(), currency: 'EUR', total: '1.00' }, contact: { email: treated.email } });
    await letTimePass(shop, 2 * hourMs);
    await publish('1%');
    const again = await leave(heldOut.email);
    expect(await dispatch(again.id)).toMatchObject({ ended: 'holdout' });
    const treatedAgain = await leave(treated.email);
    expect(await dispatch(treatedAgain.id)).toMatchObject({ ended: null });
    expect(await assigned(again)).toHaveLength(1);
  });

  test('a merged person keeps the arm that came first', async () => {
    await publish('50%');
    const { heldOut, treated } = await leaveInBoth();
    await dispatch(heldOut.id);
    await letTimePass(shop, hourMs);
    await dispatch(treated.id);
    for (const { email } of [heldOut, treated]) await shop.post('contact.updated', { contact: { id: `merged-${heldOut.cart}`, email } });
    await letTimePass(shop, 3 * hourMs);
    const after = await leave(treated.email);
    expect(await dispatch(after.id)).toMatchObject({ ended: 'holdout' });
  });

  test('who is bought before the first step, or must not be written to, is in no arm', async () => {
    await publish('50%');
    const left = await leave();
    await shop.post('contact.opted_out', { contact: { email: left.email } });
    await dispatch(left.id);
    expect(await assigned(left)).toEqual([]);
  });

  test('who is taken in by hand gets the messages', async () => {
    await publish('50%');
    const { heldOut } = await leaveInBoth();
    await dispatch(heldOut.id);
    const enrollment = await shop.enrollmentOf(heldOut.cart);
    const started = await enrollByHand(shop.deps, {
      ...{ tenantId: shop.tenant.tenantId, subjectId: enrollment?.subjectId ?? '', sequence: null, note: null, actor: 'test', key: null },
    });
    if (started.kind !== 'enrolled') throw new Error(JSON.stringify(started));
    await letTimePass(shop, 2 * hourMs + 1_000);
    expect(await dispatch(started.enrollmentId)).toMatchObject({ ended: null, progress: { settled: { mail: { outcome: 'sent' } } } });
  });

  test('at 0 % nobody is assigned anything', async () => {
    await publish('0%');
    const left = await leave();
    await dispatch(left.id);
    expect(await assigned(left)).toEqual([]);
  });
});

describe('the figures', () => {
  test('compare who ordered within the window after the assignment, in both arms by the same rule', async () => {
    const own = await openShop({ timeScale: 1 });
    const [before, mine] = [shop, own];
    shop = mine;
    try {
      await publish('50%');
      const { heldOut, treated } = await leaveInBoth();
      const { heldOut: lateBuyer } = await leaveInBoth();
      for (const { id } of [heldOut, treated, lateBuyer]) await dispatch(id);
      const buy = (email: string) => shop.post('order.placed', { order: { id: randomUUID(), currency: 'EUR', total: '129.90' }, contact: { email } });
      await letTimePass(shop, dayMs);
      // Of the one who was held out: the sequence is credited with nothing, and the outcome counts.
      await buy(heldOut.email);
      await letTimePass(shop, 7 * dayMs);
      await buy(lateBuyer.email);
      const [figures] = await readHoldouts(shop.deps, shop.tenant.tenantId);
      expect(figures).toMatchObject({ sequence: 'cart', percent: 50, windowMs: 7 * dayMs });
      expect(figures?.arms).toMatchObject([
        { arm: 'treated', people: 1, expected: 1.5, complete: 1, converted: 0, rate: 0 },
        { arm: 'holdout', people: 2, expected: 1.5, complete: 2, converted: 1, rate: 0.5 },
      ]);
      expect(figures?.sampleRatio?.p).toBeGreaterThan(0.3);
      // Two people show nothing, and that is said.
      expect(figures?.effect).toMatchObject({
        state: 'not_enough',
        missing: { treated: { people: 49, conversions: 10 }, holdout: { people: 48, conversions: 9 } },
      });
      expect(figures?.arms.map(({ revenue }) => revenue)).toEqual([[], [{ currency: 'EUR', sum: 12_990, squares: 12_990 ** 2 }]]);
      const { status, body } = await ask(shop, shop.tenant.apiKey, '/api/holdouts');
      expect(status).toBe(200);
      expect(body).toMatchObject({
        data: [
          {
            sequence: 'cart',
            holdout_percent: 50,
            sample_ratio: { mismatch: false },
            effect: { state: 'not_enough', n: { treated: 1, holdout: 2 } },
          },
        ],
      });
      // Who was held out is not among those whom the sequences wrote to.
      const sums = await inTenant((tx) => readSums(tx, 0));
      expect(sums.reduce((sum, s) => sum + s.started, 0)).toBe(1);
    } finally {
      shop = before;
      await own.close();
    }
  });
});

test('points are spread evenly, and anew for every salt', async () => {
  const [sequence] = await inTenant((tx) => tx.select().from(sequences));
  const people = Array.from({ length: 20_000 }, () => randomUUID());
  const salt = sequence?.id ?? '';
  const tenths = Array.from({ length: 10 }, () => 0);
  for (const person of people) tenths[Math.floor(pointOf(salt, person) * 10)] = (tenths[Math.floor(pointOf(salt, person) * 10)] ?? 0) + 1;
  for (const count of tenths) expect(Math.abs(count - 2_000)).toBeLessThan(250);
  const both = people.filter((person) => pointOf(salt, person) < 0.5 && pointOf('another', person) < 0.5).length;
  expect(Math.abs(both - 5_000)).toBeLessThan(400);
  // The same for ever: it must not change with a release.
  expect(pointOf('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002')).toBe(0.8055939840159319);
});
