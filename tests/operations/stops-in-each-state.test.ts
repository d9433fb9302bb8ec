import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { conversions } from '../../db/schema/index.ts';
import { closeEnrollment, holdEnrollment } from '../../operations/close-enrollment.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { unsubscribe } from '../../operations/stop-one.ts';
import { aCart, letTimePass, openShop, type Shop } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { createStubSender } from '../helpers/stub-sender.ts';

let shop: Shop;
let provider: StubProvider;
beforeAll(async () => {
  provider = await startStubProvider(false);
  shop = await openShop({ timeScale: 1, sender: createStubSender(provider.port, { kind: 'none' }) });
});
afterAll(async () => {
  await shop.close();
  await provider.stop();
});

const hourMs = 3_600_000;
const steps = ['popup_1h', 'email_2h', 'email_24h', 'email_48h', 'email_72h'];
interface Case {
  cart: string;
  email: string;
  enrollmentId: string;
}

async function enrolled(): Promise<Case> {
  const cart = `c-${randomUUID().slice(0, 8)}`;
  const email = `${cart}@example.com`;
  await shop.post('cart.updated', aCart(cart, email));
  const enrollment = await shop.enrollmentOf(cart);
  if (enrollment === null) throw new Error('no enrollment');
  return { cart, email, enrollmentId: enrollment.id };
}
const dispatch = (c: Case, stepId: string) => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: c.enrollmentId, stepId });

/** Each state that an enrollment can be in between two dispatches. */
const states: Record<string, () => Promise<Case>> = {
  'before it is activated': enrolled,
  'activated, before its first mail': async () => {
    const c = await enrolled();
    await letTimePass(shop, hourMs + 1_000);
    await dispatch(c, 'popup_1h');
    return c;
  },
  'between two mails': async () => {
    const c = await enrolled();
    await letTimePass(shop, 2 * hourMs + 1_000);
    for (const step of steps.slice(0, 2)) await dispatch(c, step);
    return c;
  },
  'put off by a refusal': async () => {
    const c = await enrolled();
    await letTimePass(shop, 2 * hourMs + 1_000);
    provider.next({ act: 'answer', status: 429 });
    for (const step of steps.slice(0, 2)) await dispatch(c, step);
    return c;
  },
  paused: async () => {
    const c = await enrolled();
    await letTimePass(shop, 2 * hourMs + 1_000);
    for (const step of steps.slice(0, 2)) await dispatch(c, step);
    await holdEnrollment(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: c.enrollmentId, held: true });
    return c;
  },
};

const stops: Record<string, (c: Case) => Promise<unknown>> = {
  purchased: (c) => shop.post('order.placed', { order: { id: randomUUID(), currency: 'EUR', total: '129.90' }, cart_id: c.cart }),
  replied: (c) => shop.post('message.received', { contact: { email: c.email }, channel: 'email', text: 'Do you have it in blue?' }),
  opted_out: async (c) => {
    const row = (await shop.ledgerOf(c.enrollmentId)).at(-1);
    if (row === undefined) return shop.post('contact.opted_out', { contact: { email: c.email } });
    return unsubscribe(shop.deps, { tenantId: shop.tenant.tenantId, messageId: row.id });
  },
};

describe.each(Object.keys(states))('%s', (state) => {
  test.each(Object.keys(stops))('%s ends it, and no step goes out after it', async (reason) => {
    const c = await (states[state]?.() ?? Promise.reject(new Error(state)));
    const activated = (await shop.enrollmentOf(c.cart))?.activatedAt !== null;
    await stops[reason]?.(c);
    const expected = reason === 'purchased' && !activated ? 'not_abandoned' : reason;
    expect(await shop.enrollmentOf(c.cart)).toMatchObject({ stopReason: expected, status: expected === 'purchased' ? 'CONVERTED' : 'EXITED' });
    const before = provider.accepted.length;
    await letTimePass(shop, 24 * hourMs);
    for (const step of steps) await dispatch(c, step);
    expect(provider.accepted.length).toBe(before);
    // The first end stays, whatever comes after it.
    await stops['replied']?.(c);
    expect((await shop.enrollmentOf(c.cart))?.stopReason).toBe(expected);
  });
});

describe('after it has completed', () => {
  async function completed(): Promise<Case> {
    const c = await enrolled();
    await closeEnrollment(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: c.enrollmentId, reason: 'completed', note: null });
    return c;
  }

  test('a purchase leaves it COMPLETED and is credited to it', async () => {
    const c = await completed();
    await stops['purchased']?.(c);
    expect(await shop.enrollmentOf(c.cart)).toMatchObject({ status: 'COMPLETED', stopReason: null });
    const credited = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx.select().from(conversions).where(eq(conversions.enrollmentId, c.enrollmentId)),
    );
    expect(credited).toMatchObject([{ valueMinor: 12_990, currency: 'EUR' }]);
  });

  test('a reply changes nothing; an opt-out keeps the next cart from starting', async () => {
    const c = await completed();
    await stops['replied']?.(c);
    await stops['opted_out']?.(c);
    expect(await shop.enrollmentOf(c.cart)).toMatchObject({ status: 'COMPLETED' });
    const next = `${c.cart}-next`;
    await shop.post('cart.updated', aCart(next, c.email), { at: Date.now() + 1_000 });
    expect(await shop.enrollmentOf(next)).toBeNull();
  });
});
