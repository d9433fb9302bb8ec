import { randomUUID } from 'node:crypto';
import { asc, eq } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { auditLog, notifications, tasks } from '../../db/schema/index.ts';
import { deliverNext } from '../../operations/notifications/deliver.ts';
import { overduePass } from '../../operations/work/overdue.ts';
import { ask } from '../api/left-carts.ts';
import { asOwner } from '../helpers/database.ts';
import { openShop, type Shop } from '../helpers/shop.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../helpers/webhook-receiver.ts';

// A task that nobody does: docs/rules.md#rule-119

const minute = 60_000;
const workTargets = [
  { name: 'Ana', role: 'agent' },
  { name: 'Mia', role: 'manager' },
  { name: 'Leo', role: 'manager' },
];
let shop: Shop;
let receiver: WebhookReceiver;
beforeAll(async () => {
  receiver = await startWebhookReceiver();
  shop = await openShop();
  expect((await own('/api/settings', 'PATCH', { settings: { workTargets } })).status).toBe(200);
  for (const owner of ['Ana', 'Mia', 'Leo'])
    expect((await own('/api/notification-targets', 'POST', { channel: 'webhook', address: receiver.url, owner })).status).toBe(201);
});
afterAll(async () => {
  await shop.close();
  await receiver.close();
});
afterEach(async () => {
  receiver.received.length = 0;
  await asOwner(shop.database.url, `update tasks set state = 'dismissed' where state = 'open'`, []);
  await asOwner(shop.database.url, `update notifications set state = 'dropped' where state in ('waiting', 'calling')`, []);
});

type Body = Record<string, unknown>;
const own = (url: string, method: 'GET' | 'POST' | 'PATCH' = 'GET', payload?: Body) => ask(shop, shop.tenant.apiKey, url, method, payload);
const inTenant = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);
const setPolicy = async (overdueTasks: Body) => expect((await own('/api/settings', 'PATCH', { settings: { overdueTasks } })).status).toBe(200);

async function aTask(more: Partial<typeof tasks.$inferInsert> = {}): Promise<string> {
  const id = randomUUID();
  const values = { tenantId: shop.tenant.tenantId, id, kind: 'agent_call', owner: 'Ana', dueAt: Date.now() + 10 * minute, ...more };
  await inTenant((tx) => tx.insert(tasks).values(values));
  return id;
}
const taskOf = async (id: string) => {
  const [task] = await inTenant((tx) => tx.select().from(tasks).where(eq(tasks.id, id)));
  if (task === undefined) throw new Error('the task is gone');
  return task;
};
/** What a worker does that looks so many minutes from now. */
async function lookIn(minutes: number, workers = 1): Promise<void> {
  const clock = { ...shop.deps.clock, nowMs: () => Date.now() + minutes * minute };
  await asOwner(shop.database.url, `update tasks set overdue_at = now() - interval '1 second' where overdue_at is not null and state = 'open'`, []);
  await Promise.all(Array.from({ length: workers }, () => overduePass({ ...shop.deps, clock })));
}
const told = async (task: string) =>
  (
    await inTenant((tx) =>
      tx
        .select({ cause: notifications.cause, reminder: notifications.reminder, state: notifications.state })
        .from(notifications)
        .where(eq(notifications.taskId, task))
        .orderBy(asc(notifications.id)),
    )
  ).map(({ cause, reminder, state }) => [cause, reminder, state]);
async function deliverAll(): Promise<void> {
  while (await deliverNext(shop.deps, shop.tenant.tenantId, new Set()));
}

test('its owner is reminded once at each step, and then it goes to the next one of the order, and on, until everybody had it', async () => {
  await setPolicy({ remindMinutes: [0, 30], passOnMinutes: 60, order: ['Leo', 'Mia'] });
  const task = await aTask();
  await lookIn(5);
  expect(await told(task)).toHaveLength(1);
  for (const minutes of [10, 11, 20]) await lookIn(minutes, 3);
  expect((await told(task)).map(([, reminder]) => reminder)).toEqual([null, 1]);
  for (const minutes of [41, 45, 69]) await lookIn(minutes, 3);
  expect(await taskOf(task)).toMatchObject({ owner: 'Ana', reminders: 2, late: [] });
  await lookIn(71, 3);
  expect(await taskOf(task)).toMatchObject({ owner: 'Leo', reminders: 0, late: ['Ana'], acceptedAt: null });
  await lookIn(101);
  await lookIn(131);
  expect(await taskOf(task)).toMatchObject({ owner: 'Mia', late: ['Ana', 'Leo'] });
  await lookIn(161);
  await lookIn(1_000);
  expect(await taskOf(task)).toMatchObject({ owner: 'Mia', late: ['Ana', 'Leo'], overdueAt: null, state: 'open' });
  const shown = (await own('/api/tasks?state=open')).body as { data: Body[] };
  expect(shown.data.find(({ id }) => id === task)).toMatchObject({ owner: 'Mia', late: ['Ana', 'Leo'] });
  const audit = await inTenant((tx) => tx.select().from(auditLog).where(eq(auditLog.subject, task)).orderBy(asc(auditLog.id)));
  expect(audit.filter(({ action }) => action === 'task.pass_on').map(({ data }) => data)).toEqual([
    { from: 'Ana', to: 'Leo' },
    { from: 'Leo', to: 'Mia' },
  ]);
});

test('what the reminder and the next one are told says so, and nobody is told of what was put off or done', async () => {
  await setPolicy({ remindMinutes: [0, 30], passOnMinutes: 60, order: ['Mia'] });
  const task = await aTask({ dueAt: Date.now() - minute });
  await deliverAll();
  receiver.received.length = 0;
  await lookIn(31);
  await deliverAll();
  expect(receiver.received.map(({ json }) => json.data)).toMatchObject([
    { cause: 'overdue', text: expect.stringContaining('This is a reminder') as unknown },
  ]);
  const list = await own(`/api/notifications?task=${task}`);
  expect(list.body).toMatchObject({
    data: [
      { cause: 'overdue', reminder: 1 },
      { cause: 'opened', reminder: null },
    ],
  });
  receiver.received.length = 0;
  await lookIn(61);
  await deliverAll();
  expect(receiver.received.map(({ json }) => json.data)).toMatchObject([
    { cause: 'assigned', text: expect.stringContaining('because Ana could not do it in time') as unknown },
  ]);
  receiver.received.length = 0;
  const [putOff, done] = [await aTask({ dueAt: Date.now() - minute }), await aTask({ dueAt: Date.now() - minute })];
  await deliverAll();
  receiver.received.length = 0;
  await lookIn(31);
  await own(`/api/tasks/${putOff}/snooze`, 'POST', { until: new Date(Date.now() + 60 * minute).toISOString() });
  await own(`/api/tasks/${done}/close`, 'POST', { state: 'done' });
  await deliverAll();
  expect(receiver.received.filter(({ json }) => JSON.stringify(json).includes(putOff) || JSON.stringify(json).includes(done))).toEqual([]);
  // Its time is another now: it is reminded of again.
  expect(await taskOf(putOff)).toMatchObject({ reminders: 0 });
  await lookIn(61);
  expect(await taskOf(putOff)).toMatchObject({ reminders: 1 });
});

test('without an order it goes to managers by the store’s rule; whoever has accepted it keeps it', async () => {
  await setPolicy({ remindMinutes: [0], passOnMinutes: 60, order: [] });
  const [left, accepted, anybodys] = [await aTask(), await aTask(), await aTask({ owner: null })];
  await own(`/api/tasks/${accepted}/accept`, 'POST', { owner: 'Ana' });
  await lookIn(11);
  await lookIn(200);
  expect(['Mia', 'Leo']).toContain((await taskOf(left)).owner);
  expect(['Mia', 'Leo']).toContain((await taskOf(anybodys)).owner);
  expect(await taskOf(anybodys)).toMatchObject({ late: [] });
  expect(await taskOf(accepted)).toMatchObject({ owner: 'Ana', reminders: 1, late: [] });
  await setPolicy({ remindMinutes: [], passOnMinutes: null, order: [] });
  const quiet = await aTask();
  await lookIn(10_000);
  expect(await taskOf(quiet)).toMatchObject({ owner: 'Ana', reminders: 0, overdueAt: null });
});

test('a policy that cannot be meant is refused', async () => {
  for (const wrong of [
    { remindMinutes: [-1], passOnMinutes: 60, order: [] },
    { remindMinutes: [0.5], passOnMinutes: 60, order: [] },
    { remindMinutes: [0], passOnMinutes: 0, order: [] },
    { remindMinutes: [0], passOnMinutes: 60, order: ['Mia', 'Mia'] },
    { remindMinutes: Array.from({ length: 11 }, (_, at) => at), passOnMinutes: null, order: [] },
  ])
    expect((await own('/api/settings', 'PATCH', { settings: { overdueTasks: wrong } })).status, JSON.stringify(wrong)).toBe(400);
});

test('whatever happens in between, nobody has it twice, and each owner is reminded no more often than there are steps', async () => {
  const order = ['Mia', 'Leo', 'Ana'];
  await setPolicy({ remindMinutes: [0, 10], passOnMinutes: 20, order });
  const deed = fc.oneof(
    fc.record({ does: fc.constant('look' as const), in: fc.nat(60), workers: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ does: fc.constant('accept' as const), owner: fc.constantFrom(...order) }),
    fc.record({ does: fc.constant('reassign' as const), owner: fc.constantFrom(...order, null) }),
    fc.record({ does: fc.constant('snooze' as const), minutes: fc.integer({ min: 1, max: 30 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { maxLength: 8 }), async (deeds) => {
      const task = await aTask({ dueAt: Date.now() - minute, owner: null });
      for (const one of deeds) {
        const before = await taskOf(task);
        if (one.does === 'look') await lookIn(one.in, one.workers);
        if (one.does === 'accept') await own(`/api/tasks/${task}/accept`, 'POST', { owner: one.owner });
        if (one.does === 'reassign') await own(`/api/tasks/${task}/reassign`, 'POST', { owner: one.owner });
        if (one.does === 'snooze')
          await own(`/api/tasks/${task}/snooze`, 'POST', { until: new Date(Date.now() + one.minutes * minute).toISOString() });
        const now = await taskOf(task);
        expect(now.reminders).toBeLessThanOrEqual(2);
        expect(new Set(now.late).size).toBe(now.late.length);
        if (one.does === 'look') {
          if (now.owner !== before.owner) expect([...now.late, before.owner].filter((name) => name === now.owner)).toEqual([]);
          if (before.acceptedAt !== null) expect(now.owner).toBe(before.owner);
        }
      }
      await asOwner(shop.database.url, `update tasks set state = 'dismissed' where id = $1`, [task]);
    }),
    { numRuns: 15 },
  );
});
