import { asc, eq, sql } from 'drizzle-orm';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { webhookAttempts, webhookDeliveries, webhookEndpoints, webhookEvents } from '../../../db/schema/index.ts';
import { mostAttempts, mostLost } from '../../../domain/webhooks/next-attempt.ts';
import { restrictPrivateAddresses } from '../../../integrations/http/outbound.ts';
import { erasePerson } from '../../../operations/erase-person.ts';
import { stopByHand, unsubscribe } from '../../../operations/stop-one.ts';
import { redeliver, redeliverFailed } from '../../../operations/webhooks/delivery-log.ts';
import { deliverNext } from '../../../operations/webhooks/deliver.ts';
import { changeEndpoint, createEndpoint, removeEndpoint, rotateEndpointSecret, testEndpoint } from '../../../operations/webhooks/endpoints.ts';
import { expandEvents } from '../../../operations/webhooks/expand.ts';
import { webhookEvent, webhookEventTypes } from '../../../operations/webhooks/event-types.ts';
import { createWebhookWorker } from '../../../operations/webhooks/webhook-worker.ts';
import { anotherStore, leaveCart, sendFirstMail } from '../../api/left-carts.ts';
import { asOwner } from '../../helpers/database.ts';
import { openShop, type Shop, until } from '../../helpers/shop.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../../helpers/webhook-receiver.ts';

// Every change is told to whoever asked to be told, at least once and for three days, whatever happens to the processes that tell it.

let shop: Shop;
let receiver: WebhookReceiver;
let crash: string | null = null;
beforeAll(async () => {
  shop = await openShop({
    timeScale: 1,
    checkpoints: (at) => (at === crash ? Promise.reject(new Error('the process is gone')) : Promise.resolve()),
  });
  receiver = await startWebhookReceiver();
});
afterAll(async () => {
  await receiver.close();
  await shop.close();
});
beforeEach(async () => {
  crash = null;
  receiver.behave = () => ({ status: 204 });
  const endpoints = await tx((t) => t.select({ id: webhookEndpoints.id }).from(webhookEndpoints));
  for (const { id } of endpoints) await removeEndpoint(shop.deps, shop.tenant.tenantId, id, 'test');
  await settleEvents();
  receiver.received.length = 0;
});

type Transaction = Parameters<Parameters<Shop['deps']['db']['withTenant']>[1]>[0];
const tx = <T>(run: (tx: Transaction) => Promise<T>) => shop.deps.db.withTenant(shop.tenant.tenantId, run);
const never = new AbortController().signal;

async function anEndpoint(wish: Partial<Parameters<typeof createEndpoint>[2]> = {}) {
  const made = await createEndpoint(
    shop.deps,
    shop.tenant.tenantId,
    { url: receiver.url, description: '', eventTypes: [], includePersonalData: false, ...wish },
    'test',
  );
  if (made.kind !== 'made') throw new Error(made.kind);
  return { id: made.endpoint.id, secret: made.secret };
}

async function settleEvents(): Promise<void> {
  while (await expandEvents(shop.deps, shop.tenant.tenantId));
}

/** Everything that is due now, of one endpoint. */
async function deliverAll(endpointId: string): Promise<void> {
  await settleEvents();
  while ((await deliverNext(shop.deps, { tenantId: shop.tenant.tenantId, endpointId }, never)) !== null);
}

/** As much time as the next attempt, or the lease of the one before, needs. Not this very moment: stored, it is rounded to a millisecond, which may be the next one. */
const letTimeCome = () =>
  tx((t) => t.update(webhookDeliveries).set({ nextAt: sql`clock_timestamp() - interval '1 second'` }).where(eq(webhookDeliveries.state, 'waiting')));

const deliveriesOf = (endpointId: string) =>
  tx((t) => t.select().from(webhookDeliveries).where(eq(webhookDeliveries.endpointId, endpointId)).orderBy(asc(webhookDeliveries.id)));
const attemptsOf = (deliveryId: string) =>
  tx((t) => t.select().from(webhookAttempts).where(eq(webhookAttempts.deliveryId, deliveryId)).orderBy(asc(webhookAttempts.number)));
const endpointRow = async (id: string) => {
  const [row] = await tx((t) => t.select().from(webhookEndpoints).where(eq(webhookEndpoints.id, id)));
  if (row === undefined) throw new Error('no endpoint');
  return row;
};

let counter = 0;
const aPerson = () => `person-${++counter}@example.com`;
/** One event, `contact.updated`. */
const somethingHappens = (email = aPerson()) => shop.post('contact.updated', { contact: { email } });

/** A delivery that is to be attempted. */
async function aDelivery(wish: Parameters<typeof anEndpoint>[0] = {}) {
  const endpoint = await anEndpoint({ eventTypes: ['contact.updated'], ...wish });
  await somethingHappens();
  await settleEvents();
  const [delivery] = await deliveriesOf(endpoint.id);
  if (delivery === undefined) throw new Error('no delivery');
  return { ...endpoint, delivery };
}
const deliver = (endpointId: string) => deliverNext(shop.deps, { tenantId: shop.tenant.tenantId, endpointId }, never);

test('a cart is told from its beginning to its order, with ids and your own ids, each event as the catalogue has it', async () => {
  const { id, secret } = await anEndpoint();
  const email = aPerson();
  const enrollmentId = await leaveCart(shop, 'told-1', email);
  await sendFirstMail(shop, enrollmentId);
  await shop.post('order.placed', { order: { id: 'o-told-1', currency: 'EUR', total: '20.00', cart_id: 'told-1' }, contact: { email } });
  await deliverAll(id);

  const verify = new Webhook(secret);
  for (const { headers, body, json } of receiver.received) {
    verify.verify(body, headers as Record<string, string>);
    const type = webhookEventTypes.find((known) => known === json.type);
    if (type === undefined) throw new Error(`${json.type} is not in the catalogue`);
    webhookEvent(type).body.parse(json);
  }
  const types = receiver.received.map(({ json }) => json.type);
  expect(types).toEqual(
    expect.arrayContaining(['cart.updated', 'enrollment.started', 'message.sent', 'order.placed', 'enrollment.ended', 'conversion.credited']),
  );
  const of = (type: string) => receiver.received.find(({ json }) => json.type === type)?.json.data;
  expect(of('enrollment.ended')).toMatchObject({ enrollment: { id: enrollmentId, sequence: 'cart' }, outcome: 'stopped', reason: 'purchased' });
  expect(of('message.sent')).toMatchObject({ step: 'email_2h', channel: 'email', subject: { kind: 'cart', external_ids: [{ value: 'told-1' }] } });
  expect(of('order.placed')).toMatchObject({ order_id: 'o-told-1', connection: { integration: 'generic' } });
  expect(new Set(receiver.received.map((one) => one.id)).size).toBe(receiver.received.length);
  expect(JSON.stringify(receiver.received)).not.toContain(email);
});

test('addresses are told only where they are asked for, are stored nowhere, and are gone after an erasure', async () => {
  const asks = await anEndpoint({ eventTypes: ['contact.updated'], includePersonalData: true });
  receiver.behave = ({ body }) => ({ status: 500, body });
  const email = aPerson();
  await somethingHappens(email);
  await settleEvents();
  await deliver(asks.id);
  expect(receiver.received[0]?.json.data).toMatchObject({ contact: { email } });
  const [delivery] = await deliveriesOf(asks.id);
  const [event] = await tx((t) =>
    t
      .select()
      .from(webhookEvents)
      .where(eq(webhookEvents.id, delivery?.eventId ?? '')),
  );
  expect(JSON.stringify([event, delivery, await attemptsOf(delivery?.id ?? '')])).not.toContain(email);

  const erased = await erasePerson(shop.deps, { tenantId: shop.tenant.tenantId, contactId: event?.contactId ?? '', actor: 'test' });
  expect(erased.kind).toBe('erased');
  await letTimeCome();
  await deliver(asks.id);
  expect(receiver.received).toHaveLength(2);
  expect(receiver.received[1]?.id).toBe(receiver.received[0]?.id);
  expect(receiver.received[1]?.body).not.toContain(email);
});

test('nothing is told of what was rolled back, nor to an endpoint of another store, nor of what came before it', async () => {
  await somethingHappens();
  await settleEvents();
  const { id } = await anEndpoint({ eventTypes: ['task.opened'] });
  const insertTask = (t: Transaction) =>
    t.execute(sql`insert into tasks (tenant_id, id, kind) values (${shop.tenant.tenantId}, gen_random_uuid(), 'question')`);
  await expect(
    tx(async (t) => {
      await insertTask(t);
      throw new Error('rolled back');
    }),
  ).rejects.toThrow('rolled back');
  const other = await anotherStore(shop, `other-hooks-${Date.now()}`);
  const theirs = await createEndpoint(
    shop.deps,
    other.tenantId,
    { url: receiver.url, description: '', eventTypes: [], includePersonalData: false },
    'test',
  );
  await tx(insertTask);
  await deliverAll(id);
  await expandEvents(shop.deps, other.tenantId);
  if (theirs.kind === 'made') await deliverNext(shop.deps, { tenantId: other.tenantId, endpointId: theirs.endpoint.id }, never);
  expect(receiver.received.map(({ json }) => json.type)).toEqual(['task.opened']);
  // Row-level security: even by its id it is nobody else's.
  expect(await deliverNext(shop.deps, { tenantId: other.tenantId, endpointId: id }, never)).toBe(null);
});

type Happening = { answer: 200 | 301 | 404 | 429 | 500 | 'drop'; crash: 'webhook.claimed' | 'webhook.answered' | null };

test('whatever the receiver does and whenever the process dies, a delivery ends taken or given up, after a bounded number of attempts', async () => {
  const happening: fc.Arbitrary<Happening> = fc.record({
    answer: fc.constantFrom<Happening['answer'][]>(200, 301, 404, 429, 500, 'drop'),
    crash: fc.oneof(
      { weight: 2, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: fc.constantFrom<Happening['crash'][]>('webhook.claimed', 'webhook.answered') },
    ),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { minLength: 45, maxLength: 45 }), async (history) => {
      const { id, delivery } = await aDelivery();
      receiver.received.length = 0;
      let steps = 0;
      let settled = 0;
      let tookAnswered = false;
      for (const { answer, crash: dies } of history) {
        const [row] = await deliveriesOf(id);
        if (row?.state !== 'waiting') break;
        steps++;
        receiver.behave = () => (answer === 'drop' ? 'drop' : { status: answer, ...(answer === 301 ? { headers: { location: receiver.url } } : {}) });
        crash = dies;
        const outcome = await deliver(id).catch(() => 'crashed');
        crash = null;
        if (outcome !== 'crashed') settled++;
        if (answer === 200 && dies !== 'webhook.claimed') tookAnswered = true;
        await letTimeCome();
      }
      const [row] = await deliveriesOf(id);
      const attempts = await attemptsOf(delivery.id);
      expect(['delivered', 'failed', 'waiting']).toContain(row?.state);
      // Nothing counts as delivered that the receiver has not taken.
      if (row?.state === 'delivered') expect(tookAnswered).toBe(true);
      if (row?.state === 'failed') expect(row.attempts === mostAttempts || row.lost > mostLost).toBe(true);
      // It is given up only after all attempts, and never later.
      if (row?.state === 'waiting') expect(steps).toBe(history.length);
      expect(settled).toBeLessThanOrEqual(mostAttempts + 1);
      // Every attempt that was begun is in the log, but for one that died just now.
      expect(attempts.length).toBeGreaterThanOrEqual((row?.claims ?? 0) - 1);
      expect(new Set(receiver.received.map((one) => one.id)).size).toBeLessThanOrEqual(1);
      await removeEndpoint(shop.deps, shop.tenant.tenantId, id, 'test');
    }),
    { numRuns: 12 },
  );
});

test('a redirect is not followed, and counts as a failure', async () => {
  const { id, delivery } = await aDelivery();
  receiver.behave = () => ({ status: 302, headers: { location: receiver.url } });
  await deliver(id);
  expect(receiver.received).toHaveLength(1);
  expect(await attemptsOf(delivery.id)).toMatchObject([{ status: 302, error: null }]);
  expect(await deliveriesOf(id)).toMatchObject([{ state: 'waiting', attempts: 1 }]);
});

test('two workers never make the same attempt at once, and an endpoint has five at most', async () => {
  const { id } = await anEndpoint({ eventTypes: ['contact.updated'] });
  for (let n = 0; n < 12; n++) await somethingHappens();
  let release: () => void = () => undefined;
  const held = new Promise<{ status: number }>((resolve) => (release = () => resolve({ status: 200 })));
  receiver.open.most = 0;
  receiver.behave = () => held;
  const workers = [createWebhookWorker(shop.deps), createWebhookWorker(shop.deps)];
  for (const worker of workers) while (await worker.pass());
  await until('attempts are open', () => receiver.open.now === 10);
  release();
  await until('everything is delivered', async () => {
    for (const worker of workers) await worker.pass();
    return (await deliveriesOf(id)).every(({ state }) => state === 'delivered');
  });
  for (const worker of workers) await worker.stop();
  expect(receiver.open.most).toBe(10);
  expect(receiver.received.map((one) => one.id).toSorted()).toEqual([...new Set(receiver.received.map((one) => one.id))].toSorted());
  expect(receiver.received).toHaveLength(12);
});

test('an endpoint that does not answer delays no other, and is left when the process ends', async () => {
  const dead = await startWebhookReceiver();
  dead.behave = () => new Promise(() => undefined);
  const slow = await anEndpoint({ url: dead.url, eventTypes: ['contact.updated'] });
  const quick = await anEndpoint({ eventTypes: ['contact.updated'] });
  for (let n = 0; n < 10; n++) await somethingHappens();
  const worker = createWebhookWorker(shop.deps);
  await worker.pass();
  await until('the quick one has everything', async () => {
    await worker.pass();
    return (await deliveriesOf(quick.id)).every(({ state }) => state === 'delivered');
  });
  await until('the slow one has what it may have', () => dead.open.now === 5);
  await worker.stop();
  const left = await deliveriesOf(slow.id);
  // Nothing of it counts as an attempt, and another worker may make them at once.
  expect(
    left.every(({ state, attempts, claimedAt, nextAt }) => state === 'waiting' && attempts === 0 && claimedAt === null && nextAt <= Date.now()),
  ).toBe(true);
  expect(receiver.received).toHaveLength(10);
  await dead.close();
});

test('410 disables the endpoint; what happens meanwhile waits, and is sent once it is enabled', async () => {
  const { id } = await aDelivery();
  receiver.behave = () => ({ status: 410 });
  await deliver(id);
  expect(await endpointRow(id)).toMatchObject({ state: 'disabled', disabledReason: 'gone' });
  await somethingHappens();
  await settleEvents();
  expect(await deliver(id)).toBe(null);
  expect((await deliveriesOf(id)).map(({ state }) => state)).toEqual(['held', 'held']);
  receiver.behave = () => ({ status: 200 });
  await changeEndpoint(shop.deps, shop.tenant.tenantId, id, { state: 'enabled' }, 'test');
  await deliverAll(id);
  expect((await deliveriesOf(id)).map(({ state }) => state)).toEqual(['delivered', 'delivered']);
});

test('an endpoint that has taken nothing for five days is disabled by its next failure; one success and it counts anew', async () => {
  const { id } = await aDelivery();
  receiver.behave = () => ({ status: 500 });
  await deliver(id);
  expect(await endpointRow(id)).toMatchObject({ state: 'enabled' });
  const daysAgo = (days: number) =>
    tx((t) =>
      t
        .update(webhookEndpoints)
        .set({ failingSince: Date.now() - days * 86_400_000 })
        .where(eq(webhookEndpoints.id, id)),
    );
  await daysAgo(4.9);
  await letTimeCome();
  await deliver(id);
  expect(await endpointRow(id)).toMatchObject({ state: 'enabled' });
  await daysAgo(5);
  await letTimeCome();
  await deliver(id);
  expect(await endpointRow(id)).toMatchObject({ state: 'disabled', disabledReason: 'failing' });

  receiver.behave = () => ({ status: 200 });
  await changeEndpoint(shop.deps, shop.tenant.tenantId, id, { state: 'enabled' }, 'test');
  await deliver(id);
  expect(await endpointRow(id)).toMatchObject({ state: 'enabled', failingSince: null });
});

test('disabled by hand, nothing is recorded for it, and what waited is held', async () => {
  const { id } = await aDelivery();
  await changeEndpoint(shop.deps, shop.tenant.tenantId, id, { state: 'disabled' }, 'test');
  await somethingHappens();
  await settleEvents();
  expect((await deliveriesOf(id)).map(({ state }) => state)).toEqual(['held']);
  expect(await testEndpoint(shop.deps, shop.tenant.tenantId, id)).toEqual({ kind: 'disabled' });
});

test('one delivery, and all that have failed since a moment, are sent once more with the same id', async () => {
  const { tenantId } = shop.tenant;
  const { id, delivery } = await aDelivery();
  await somethingHappens();
  await settleEvents();
  receiver.behave = () => ({ status: 500, body: 'no '.repeat(400) });
  for (let n = 0; n < mostAttempts; n++) {
    await letTimeCome();
    while ((await deliver(id)) !== null);
  }
  expect((await deliveriesOf(id)).map(({ state, attempts }) => [state, attempts])).toEqual([
    ['failed', 10],
    ['failed', 10],
  ]);
  const log = await attemptsOf(delivery.id);
  expect(log).toHaveLength(10);
  expect(log[0]).toMatchObject({ status: 500, answer: 'no '.repeat(400).slice(0, 500) });

  receiver.received.length = 0;
  receiver.behave = () => ({ status: 200 });
  expect(await redeliver(shop.deps, { tenantId, endpointId: id, id: delivery.id, actor: 'test' })).toEqual({ kind: 'asked' });
  await deliver(id);
  expect(receiver.received.map((one) => one.id)).toEqual([`msg_${delivery.eventId}`]);
  const later = { tenantId, endpointId: id, sinceMs: Date.now() + 1_000, actor: 'test' };
  expect(await redeliverFailed(shop.deps, later)).toEqual({ kind: 'asked', count: 0, unfinished: false });
  expect(await redeliverFailed(shop.deps, { ...later, sinceMs: delivery.createdAt })).toEqual({ kind: 'asked', count: 1, unfinished: false });
  await deliver(id);
  expect((await deliveriesOf(id)).map(({ state }) => state)).toEqual(['delivered', 'delivered']);
});

test('while a secret is replaced both sign, and the old one no longer after its time', async () => {
  const { id, secret: old } = await anEndpoint({ eventTypes: ['contact.updated'] });
  const rotated = await rotateEndpointSecret(shop.deps, shop.tenant.tenantId, id, 3_600_000, 'test');
  const send = async () => {
    receiver.received.length = 0;
    await somethingHappens();
    await deliverAll(id);
    const [got] = receiver.received;
    if (got === undefined) throw new Error('nothing came');
    return (secret: string) => new Webhook(secret).verify(got.body, got.headers as Record<string, string>);
  };
  const during = await send();
  expect(() => during(old)).not.toThrow();
  expect(() => during(rotated?.secret ?? '')).not.toThrow();
  await tx((t) =>
    t
      .update(webhookEndpoints)
      .set({ oldSecretUntil: Date.now() - 1 })
      .where(eq(webhookEndpoints.id, id)),
  );
  const after = await send();
  expect(() => after(old)).toThrow();
  expect(() => after(rotated?.secret ?? '')).not.toThrow();
  const leaked = await rotateEndpointSecret(shop.deps, shop.tenant.tenantId, id, 0, 'test');
  const atOnce = await send();
  expect(() => atOnce(rotated?.secret ?? '')).toThrow();
  expect(() => atOnce(leaked?.secret ?? '')).not.toThrow();
  expect(JSON.stringify(await endpointRow(id))).not.toContain('whsec_');
});

test('addresses of a private network are called neither by their number nor by their name', async () => {
  const before = restrictPrivateAddresses({ kind: 'all' });
  try {
    const byName = await anEndpoint({ url: receiver.url.replace('127.0.0.1', 'localhost'), eventTypes: ['contact.updated'] });
    restrictPrivateAddresses({ kind: 'only', ranges: [], mailServer: null });
    const wish = { url: receiver.url, description: '', eventTypes: [], includePersonalData: false };
    expect((await createEndpoint(shop.deps, shop.tenant.tenantId, wish, 'test')).kind).toBe('invalid_url');
    await somethingHappens();
    await deliverAll(byName.id);
    expect(receiver.received).toEqual([]);
    const [delivery] = await deliveriesOf(byName.id);
    expect(delivery).toMatchObject({ state: 'waiting', attempts: 1, lastStatus: null, lastError: expect.stringContaining('private network') });
  } finally {
    restrictPrivateAddresses(before);
  }
});

test('what is older than thirty days is deleted, with its deliveries and attempts', async () => {
  const { id, delivery } = await aDelivery();
  await deliver(id);
  expect(await shop.deps.db.pruneWebhooks(30, 1_000)).toBe(0);
  await asOwner(shop.database.url, `update webhook_events set at = at - interval '31 days' where id = $1`, [delivery.eventId]);
  expect(await shop.deps.db.pruneWebhooks(30, 1_000)).toBe(1);
  expect(await deliveriesOf(id)).toEqual([]);
  expect(await attemptsOf(delivery.id)).toEqual([]);
});

test('a stop by hand is told with its reason', async () => {
  const { id } = await anEndpoint({ eventTypes: ['enrollment.ended'] });
  const enrollmentId = await leaveCart(shop, 'told-2', aPerson());
  await stopByHand(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, note: 'called her', actor: 'test' });
  await deliverAll(id);
  expect(receiver.received.map(({ json }) => json.data)).toMatchObject([{ outcome: 'stopped', reason: 'manual' }]);
});

test('an unsubscribe by the link in a message is told with its person, the block of the address without', async () => {
  const { id } = await anEndpoint({ eventTypes: ['contact.opted_out', 'suppression.added'] });
  const enrollmentId = await leaveCart(shop, 'told-3', aPerson());
  const { messageId } = await sendFirstMail(shop, enrollmentId);
  await unsubscribe(shop.deps, { tenantId: shop.tenant.tenantId, messageId });
  await deliverAll(id);
  const enrollment = await shop.enrollmentOf('told-3');
  expect(receiver.received.map(({ json }) => [json.type, json.data])).toMatchObject([
    ['suppression.added', { channel: 'all', reason: 'opted_out', contact: null }],
    ['contact.opted_out', { channel: null, contact: { id: enrollment?.contactId } }],
  ]);
});
