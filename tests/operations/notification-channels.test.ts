import { randomBytes, randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { notifications, notificationUses, tasks } from '../../db/schema/index.ts';
import { nextQuestionAt } from '../../domain/notifications/next-attempt.ts';
import { createConnection } from '../../operations/connections.ts';
import { askNext, deliverNext } from '../../operations/notifications/deliver.ts';
import { ask } from '../api/left-carts.ts';
import { type StartedBotApi, startBotApi } from '../helpers/bot-api.ts';
import { asOwner } from '../helpers/database.ts';
import { openShop, type Shop } from '../helpers/shop.ts';
import { type Dialect, startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { twilioDialect } from '../integrations/twilio/conformance.ts';
import { accountSid } from '../integrations/twilio/deliveries.ts';

// Text messages and Telegram, against far ends that speak their protocols; and what becomes of a call in doubt: docs/rules.md#rule-107

const pageLink = /http:\/\/rekindle\.example\.com\/t\/[\w-]+/;
/** A text is known by its link, which leads to the page of its task. */
const dialect: Dialect = { ...twilioDialect, keyOf: (_request, body) => pageLink.exec(new URLSearchParams(body).get('Body') ?? '')?.[0] ?? '' };
const token = '555000111:an-invented-token-of-35-characters_';

let shop: Shop;
let texts: StubProvider;
let bots: StartedBotApi;
beforeAll(async () => {
  texts = await startStubProvider(false, dialect);
  bots = await startBotApi();
  shop = await openShop({ settings: { storeName: 'Tea & Tin', smsSender: null } });
  const baseUrl = `http://127.0.0.1:${texts.port}`;
  await connect('twilio', { accountSid, authToken: 'an-invented-token', from: '+15005550006', baseUrl });
  await connect('telegram', { token, updates: 'polling', baseUrl: bots.url });
});
afterAll(async () => {
  await shop.close();
  await bots.stop();
  await texts.stop();
});
afterEach(async () => {
  texts.always({ act: 'accept' });
  texts.whenAsked = 'the_truth';
  texts.accepted.length = 0;
  bots.api.intercept = () => null;
  await asOwner(shop.database.url, `update notification_targets set removed_at = now()`, []);
  await asOwner(shop.database.url, `update notifications set state = 'dropped', ask_at = null where state <> 'sent'`, []);
});

type Body = Record<string, unknown>;
const own = (url: string, method: 'GET' | 'POST' | 'PATCH' = 'GET', payload?: Body) => ask(shop, shop.tenant.apiKey, url, method, payload);
const inTenant = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);
async function connect(integration: string, config: object): Promise<void> {
  const made = await createConnection(shop.deps, shop.tenant.tenantId, { integration, name: integration, config, secrets: [] }, 'a test');
  if (made.kind !== 'created') throw new Error(JSON.stringify(made));
}
async function aTarget(channel: string, address: string): Promise<string> {
  const made = await own('/api/notification-targets', 'POST', { channel, address, owner: 'Mia' });
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  return String((made.body as Body)['id']);
}
async function aTask(): Promise<string> {
  const id = randomUUID();
  const values = { tenantId: shop.tenant.tenantId, id, kind: 'escalation', owner: 'Mia', data: { name: 'Kim Example' } };
  await inTenant((tx) => tx.insert(tasks).values(values));
  return id;
}
async function deliverAll(): Promise<void> {
  while (await deliverNext(shop.deps, shop.tenant.tenantId, new Set()));
}
async function askAll(): Promise<void> {
  await asOwner(shop.database.url, `update notifications set ask_at = now() - interval '1 second' where ask_at is not null`, []);
  while (await askNext(shop.deps, shop.tenant.tenantId));
}
const told = async (task: string) => {
  const [row] = await inTenant((tx) => tx.select().from(notifications).where(eq(notifications.taskId, task)));
  if (row === undefined) throw new Error('nobody is told of it');
  return row;
};
const makeDue = (task: string) =>
  asOwner(shop.database.url, `update notifications set next_at = now() - interval '1 second' where task_id = $1`, [task]);
const textOf = (at: number) => new URLSearchParams(texts.accepted[at]?.body ?? '');
const toldByBot = () => bots.api.calls.filter(({ method }) => method === 'sendMessage');
const press = (url: string) =>
  shop.app.inject({ method: 'POST', url: new URL(url).pathname, headers: { 'content-type': 'application/x-www-form-urlencoded' }, payload: '' });

describe('by text message', () => {
  test('in as few parts as can be, with one link, whose page does everything', async () => {
    await aTarget('sms', '+12025550143');
    const task = await aTask();
    await deliverAll();
    expect(texts.accepted).toHaveLength(1);
    expect(Object.fromEntries(textOf(0))).toMatchObject({ To: '+12025550143', From: '+15005550006' });
    const body = textOf(0).get('Body') ?? '';
    expect(body).toMatch(/^Tea & Tin: Escalation, Kim Example, due /);
    const link = pageLink.exec(body)?.[0] ?? '';
    const page = await shop.app.inject({ method: 'GET', url: new URL(link).pathname });
    for (const action of ['accept', 'reassign', 'snooze', 'resolve']) expect(page.body).toContain(`/t/${action}/`);
    expect(await told(task)).toMatchObject({ state: 'sent', account: `twilio:${accountSid}` });
  });

  test('to a number that does not exist it is parked, and of an overload it is tried again', async () => {
    await aTarget('sms', '+12025550143');
    const task = await aTask();
    texts.next({ act: 'answer', status: 429, headers: { 'retry-after': '90' } });
    await deliverAll();
    expect(await told(task)).toMatchObject({ state: 'waiting', attempts: 1 });
    texts.next({ act: 'answer', status: 422 });
    await makeDue(task);
    await deliverAll();
    expect(await told(task)).toMatchObject({ state: 'parked', response: expect.stringContaining('21211') as unknown });
    expect(texts.accepted).toEqual([]);
  });
});

describe('by Telegram', () => {
  test('with a link for each action, each of which acts once', async () => {
    bots.api.says(token, { id: 4711, first_name: 'Mia' }, '/start');
    await aTarget('telegram', '4711');
    const task = await aTask();
    const before = toldByBot().length;
    await deliverAll();
    expect(await told(task)).toMatchObject({ state: 'sent' });
    const call = toldByBot()[before];
    expect(call?.body).toMatchObject({ chat_id: 4711, link_preview_options: { is_disabled: true } });
    const text = String(call?.body['text']);
    expect(text).toMatch(/^Escalation\n/);
    const accept = /Accept: (\S+)/.exec(text)?.[1] ?? '';
    expect([(await press(accept)).statusCode, (await press(accept)).statusCode]).toEqual([200, 409]);
    const uses = await inTenant((tx) => tx.select().from(notificationUses));
    expect(uses.filter(({ usedBy }) => usedBy === 'Mia')).toHaveLength(1);
  });

  test('to somebody who has blocked the bot it is parked; a call in doubt stays unknown, because the Bot API cannot be asked', async () => {
    bots.api.says(token, { id: 4712, first_name: 'Leo' }, '/start');
    await aTarget('telegram', '4712');
    bots.api.blocks(token, { id: 4712, first_name: 'Leo' });
    const blocked = await aTask();
    await deliverAll();
    expect(await told(blocked)).toMatchObject({ state: 'parked' });
    bots.api.blocks(token, { id: 4712, first_name: 'Leo' }, false);
    bots.api.intercept = ({ method }) => (method === 'sendMessage' ? { status: 502, body: 'bad gateway' as never } : null);
    const doubtful = await aTask();
    await deliverAll();
    expect(await told(doubtful)).toMatchObject({ state: 'unknown', askAt: null });
    bots.api.intercept = () => null;
    const before = toldByBot().length;
    await askAll();
    await makeDue(doubtful);
    await deliverAll();
    expect(await told(doubtful)).toMatchObject({ state: 'unknown' });
    expect(toldByBot()).toHaveLength(before);
  });
});

describe('a call in doubt', () => {
  /** One text whose call was cut off. @param take - whether Twilio has it all the same */
  async function inDoubt(take: boolean): Promise<string> {
    await aTarget('sms', '+12025550143');
    const task = await aTask();
    texts.next({ act: 'reset', take });
    await deliverAll();
    const row = await told(task);
    expect(row).toMatchObject({ state: 'unknown', claims: 1 });
    // Twilio ends a request after 26 seconds at the latest: before that, an answer says nothing.
    expect((row.askAt ?? 0) - Date.now()).toBeGreaterThan(30_000);
    return task;
  }

  test('that the provider has is sent, and not sent again', async () => {
    const task = await inDoubt(true);
    await askAll();
    expect(await told(task)).toMatchObject({ state: 'sent', askAt: null, response: 'in doubt; the receiver has it' });
    await deliverAll();
    expect(texts.accepted).toHaveLength(1);
  });

  test('that it does not have is sent again, once', async () => {
    const task = await inDoubt(false);
    await askAll();
    expect(await told(task)).toMatchObject({ state: 'waiting', askAt: null });
    await makeDue(task);
    await deliverAll();
    expect(await told(task)).toMatchObject({ state: 'sent', claims: 2 });
    expect(texts.accepted).toHaveLength(1);
  });

  test.each(['nonsense', 'reset', { status: 503 }] as const)('about which it answers %j is asked after again, and stays unknown', async (answer) => {
    const task = await inDoubt(false);
    texts.whenAsked = answer;
    await askAll();
    const row = await told(task);
    expect(row).toMatchObject({ state: 'unknown' });
    expect(row.askAt).not.toBeNull();
    await deliverAll();
    expect(texts.accepted).toEqual([]);
    texts.whenAsked = 'the_truth';
    await askAll();
    expect(await told(task)).toMatchObject({ state: 'waiting' });
  });

  test('whose process died is asked after, too', async () => {
    const task = await inDoubt(true);
    await asOwner(
      shop.database.url,
      `update notifications set state = 'calling', ask_at = null, settled_at = null, claimed_at = now() - interval '1 minute',
        next_at = now() - interval '1 second' where task_id = $1`,
      [task],
    );
    await deliverAll();
    expect(await told(task)).toMatchObject({ state: 'unknown', askAt: expect.any(Number) as unknown });
    await askAll();
    expect(await told(task)).toMatchObject({ state: 'sent' });
    expect(texts.accepted).toHaveLength(1);
  });

  test('stays unknown where its address is another by now', async () => {
    const task = await inDoubt(false);
    const row = await told(task);
    expect((await own(`/api/notification-targets/${row.targetId}`, 'PATCH', { address: '+12025550144' })).status).toBe(200);
    expect(await told(task)).toMatchObject({ state: 'unknown', askAt: null });
    await askAll();
    await deliverAll();
    expect(texts.accepted).toEqual([]);
  });

  test('stays unknown where its account is gone', async () => {
    const other = await inDoubt(false);
    await asOwner(shop.database.url, `update notifications set account = 'twilio:AC${randomBytes(16).toString('hex')}' where task_id = $1`, [other]);
    await askAll();
    expect(await told(other)).toMatchObject({ state: 'unknown', askAt: null });
    expect(texts.accepted).toEqual([]);
  });

  test('is asked after less and less often, and for a day', () => {
    const hour = 3_600_000;
    expect([0, 10_000, hour, 23 * hour, 24 * hour, 48 * hour].map((age) => nextQuestionAt(1_000, 1_000 + age))).toEqual([
      61_000,
      1_000 + 70_000,
      1_000 + 2 * hour,
      1_000 + 46 * hour,
      null,
      null,
    ]);
  });
});

test('what was settled long ago is deleted with the uses of its links; what waits for somebody stays', async () => {
  await aTarget('sms', '+12025550143');
  const [old, young, parked] = [await aTask(), await aTask(), await aTask()];
  await deliverAll();
  await press(pageLink.exec(textOf(0).get('Body') ?? '')?.[0] ?? '').catch(() => undefined);
  await asOwner(shop.database.url, `update notifications set settled_at = now() - interval '91 days' where task_id = any($1)`, [[old, parked]]);
  await asOwner(shop.database.url, `update notifications set state = 'parked' where task_id = $1`, [parked]);
  const { id } = await told(old);
  await inTenant((tx) => tx.insert(notificationUses).values({ tenantId: shop.tenant.tenantId, notificationId: id, action: 'accept', usedBy: 'Mia' }));
  expect(await shop.deps.db.pruneNotifications(90, 1_000)).toBe(1);
  const left = await inTenant((tx) => tx.select({ task: notifications.taskId }).from(notifications));
  expect(left.map(({ task }) => task)).toEqual(expect.arrayContaining([young, parked]));
  expect(left.map(({ task }) => task)).not.toContain(old);
});
