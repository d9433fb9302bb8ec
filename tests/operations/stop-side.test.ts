import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { contacts } from '../../db/schema/index.ts';
import type { TenantSettings } from '../../domain/tenant-settings.ts';
import type { Checkpoint } from '../../operations/deps.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { unsubscribe } from '../../operations/stop-one.ts';
import { aCart, letTimePass, openShop, type Shop, until } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { createStubSender } from '../helpers/stub-sender.ts';

const hourMs = 3_600_000;
const email = 'ada@example.com';
let shop: Shop;
let provider: StubProvider;

/** Holds one dispatch at one point until the test lets it go. */
interface Gate {
  at: Checkpoint | null;
  reached: Promise<void>;
  release(): void;
}

async function open(at: Checkpoint, settings: Partial<TenantSettings> = {}): Promise<{ gate: Gate; enrollmentId: string }> {
  provider = await startStubProvider(false);
  let reach: () => void = () => undefined;
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const gate: Gate = { at: null, reached: new Promise((resolve) => (reach = resolve)), release: () => release() };
  shop = await openShop({
    timeScale: 1,
    settings,
    sender: createStubSender(provider.port, { kind: 'none' }),
    checkpoints: async (point) => {
      if (point !== gate.at) return;
      gate.at = null;
      reach();
      await held;
    },
  });
  await shop.post('cart.updated', aCart('cart-1', email));
  const enrollment = await shop.enrollmentOf('cart-1');
  if (enrollment === null) throw new Error('no enrollment');
  await letTimePass(shop, 2 * hourMs + 1_000);
  await dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: enrollment.id, stepId: 'popup_1h' });
  gate.at = at;
  return { gate, enrollmentId: enrollment.id };
}
afterEach(async () => {
  await shop.close();
  await provider.stop();
});

const stops: Record<string, () => Promise<{ status: number }>> = {
  purchase: () => shop.post('order.placed', { order: { id: 'o-1', currency: 'EUR', total: '129.90' }, cart_id: 'cart-1' }),
  reply: () => shop.post('message.received', { contact: { email }, channel: 'email', text: 'Is it still there?' }),
  'opt-out': () => shop.post('contact.opted_out', { contact: { email } }),
  'merge with somebody who opted out': async () => {
    await shop.post('contact.opted_out', { contact: { phone: '+12025550123' } });
    return shop.post('contact.updated', { contact: { email, phone: '+12025550123' } });
  },
};

/** Whether some transaction of the database under test waits for a lock. */
async function someoneWaits(): Promise<boolean> {
  const client = new pg.Client({ connectionString: shop.database.url });
  await client.connect();
  const { rows } = await client.query(`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' limit 1`);
  await client.end();
  return rows.length > 0;
}

const points: Checkpoint[] = [
  'dispatch.session_open',
  'dispatch.locked',
  'dispatch.before_commit',
  'dispatch.claimed',
  'dispatch.called',
  'dispatch.settled',
];

describe.each(Object.keys(stops))('a %s', (name) => {
  test.each(points)('at %s: no call begins or is open after its 2xx', async (point) => {
    const { gate, enrollmentId } = await open(point);
    const dispatch = dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId: 'email_2h' });
    await gate.reached;
    const answer: { status: number | null; acceptedBefore: number; openAt: number } = { status: null, acceptedBefore: 0, openAt: 0 };
    const deliver = async () => {
      // A shop repeats what is answered 503.
      for (;;) {
        const { status } = (await stops[name]?.()) ?? { status: 500 };
        answer.acceptedBefore = provider.accepted.length;
        answer.openAt = provider.open;
        if (status !== 503) {
          answer.status = status;
          return;
        }
      }
    };
    const delivered = deliver();
    // Let the dispatch go once the stop has either been answered or run into what the dispatch holds.
    const holdsLocks = point === 'dispatch.locked' || point === 'dispatch.before_commit';
    const holdsLease = point === 'dispatch.claimed' || point === 'dispatch.called';
    if (holdsLocks) await until('the stop to wait for the lock', someoneWaits, 400).catch(() => undefined);
    else if (holdsLease) await until('the stop to be committed', async () => (await shop.enrollmentOf('cart-1'))?.endedAt != null);
    else await delivered;
    gate.release();
    await delivered;
    await dispatch;
    expect(answer.status).toBe(200);
    expect(answer.openAt).toBe(0);
    // Whatever was accepted was accepted before the answer.
    expect(provider.accepted.length).toBe(answer.acceptedBefore);
    // And nothing goes out later, however often the step is dispatched.
    await dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId: 'email_2h' });
    expect(provider.accepted.length).toBe(answer.acceptedBefore);
    expect((await shop.enrollmentOf('cart-1'))?.endedAt).not.toBeNull();
  });
});

const write = (text: string) => () => shop.post('message.received', { contact: { email }, channel: 'email', text });
/** What holds the steps instead of ending them. */
const holds: Record<string, () => Promise<{ status: number }>> = {
  'reply that hands over': write('Is it still there?'),
  'request to be contacted later': write('Call me next week'),
};
const isHeld = async () => {
  const [person] = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select({ at: contacts.takenOverAt }).from(contacts));
  return person?.at != null || ((await shop.enrollmentOf('cart-1'))?.snoozes.length ?? 0) > 0;
};

describe.each(Object.keys(holds))('a %s', (name) => {
  test.each(points)('at %s: no call begins or is open after its 2xx, and the sequence goes on', async (point) => {
    const { gate, enrollmentId } = await open(point, { onReply: 'takeover' });
    const dispatch = dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId: 'email_2h' });
    await gate.reached;
    let acceptedBefore = 0;
    let openAt = 0;
    const deliver = async () => {
      for (let status = 503; status === 503; ) {
        status = (await holds[name]?.())?.status ?? 500;
        acceptedBefore = provider.accepted.length;
        openAt = provider.open;
        if (status !== 503) expect(status).toBe(200);
      }
    };
    const delivered = deliver();
    if (point === 'dispatch.locked' || point === 'dispatch.before_commit')
      await until('the reply to wait for the lock', someoneWaits, 400).catch(() => undefined);
    else if (point === 'dispatch.claimed' || point === 'dispatch.called') await until('the reply to be committed', isHeld);
    else await delivered;
    gate.release();
    await delivered;
    await dispatch;
    expect(openAt).toBe(0);
    expect(provider.accepted.length).toBe(acceptedBefore);
    await dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId: 'email_2h' });
    expect(provider.accepted.length).toBe(acceptedBefore);
    expect((await shop.enrollmentOf('cart-1'))?.endedAt).toBeNull();
  });
});

test('an unsubscribe takes effect like any stop, and repeating it changes nothing', async () => {
  const { gate, enrollmentId } = await open('dispatch.claimed');
  const dispatch = dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId: 'email_2h' });
  await gate.reached;
  const [row] = (await shop.ledgerOf(enrollmentId)).filter((m) => m.stepId === 'email_2h');
  let answered = false;
  const left = unsubscribe(shop.deps, { tenantId: shop.tenant.tenantId, messageId: row?.id ?? '' }).finally(() => (answered = true));
  await until('the stop to be committed', async () => (await shop.enrollmentOf('cart-1'))?.endedAt != null);
  expect(answered).toBe(false);
  gate.release();
  expect(await left).toBe('stopped');
  expect(provider.open).toBe(0);
  await dispatch;
  const again = await unsubscribe(shop.deps, { tenantId: shop.tenant.tenantId, messageId: row?.id ?? '' });
  expect(again).toBe('stopped');
  expect(await shop.enrollmentOf('cart-1')).toMatchObject({ status: 'EXITED', stopReason: 'opted_out' });
  await shop.post('cart.updated', aCart('cart-2', email));
  expect(await shop.enrollmentOf('cart-2')).toBeNull();
});

test('a repeat of a stop is answered no earlier than the first would have been', async () => {
  const { gate, enrollmentId } = await open('dispatch.claimed');
  const dispatch = dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId: 'email_2h' });
  await gate.reached;
  const id = randomUUID();
  const order = { order: { id: 'o-1', currency: 'EUR', total: '129.90' }, cart_id: 'cart-1' };
  let answered = 0;
  const both = [1, 2].map(() => shop.post('order.placed', order, { id }).then((r) => ({ ...r, order: ++answered })));
  await until('the stop to be committed', async () => (await shop.enrollmentOf('cart-1'))?.endedAt != null);
  expect(answered).toBe(0);
  gate.release();
  expect((await Promise.all(both)).map((r) => r.status)).toEqual([200, 200]);
  await dispatch;
});

test.each([true, false])('a merge waits for a call that another stop is already waiting for (optOutAllChannels: %s)', async (optOutAllChannels) => {
  const { gate, enrollmentId } = await open('dispatch.claimed', { optOutAllChannels });
  const dispatch = dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId: 'email_2h' });
  await shop.post('contact.opted_out', { contact: { phone: '+12025550123' }, channel: 'email' });
  await gate.reached;
  const answers: string[] = [];
  const told = (name: string, answer: Promise<{ status: number }>) => answer.then(({ status }) => void answers.push(`${name} ${status}`));
  const order = optOutAllChannels
    ? told('purchase', shop.post('order.placed', { order: { id: 'o-1', currency: 'EUR', total: '1.00' }, cart_id: 'cart-1' }))
    : Promise.resolve();
  if (optOutAllChannels) await until('the purchase to be committed', async () => (await shop.enrollmentOf('cart-1'))?.endedAt != null);
  const merge = told('merge', shop.post('contact.updated', { contact: { email, phone: '+12025550123' } }));
  await until('the merge to be committed', async () => {
    const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(contacts));
    return rows.some((c) => c.personId !== c.id);
  });
  expect(answers).toEqual([]);
  gate.release();
  await Promise.all([order, merge, dispatch]);
  expect(answers).toContain('merge 200');
});
