import { randomBytes, randomUUID } from 'node:crypto';
import { and, asc, eq } from 'drizzle-orm';
import fc from 'fast-check';
import PostalMime from 'postal-mime';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { notifications, notificationUses, tasks } from '../../db/schema/index.ts';
import { createLinkTokens } from '../../operations/link-tokens.ts';
import { deliverNext } from '../../operations/notifications/deliver.ts';
import { createNotificationWorker } from '../../operations/notifications/notification-worker.ts';
import { provisionTenant } from '../../operations/provision-tenant.ts';
import { addTask } from '../../operations/tasks.ts';
import { verifyStandardWebhook } from '../../integrations/standard-webhooks.ts';
import { ask } from '../api/left-carts.ts';
import { asOwner } from '../helpers/database.ts';
import { openShop, type Shop } from '../helpers/shop.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../helpers/webhook-receiver.ts';

// Owners are told of their tasks: docs/rules.md#rule-107 and #rule-108

let shop: Shop;
let receiver: WebhookReceiver;
let atCheckpoint: (at: string) => Promise<void> | void = () => undefined;
beforeAll(async () => {
  receiver = await startWebhookReceiver();
  shop = await openShop({
    checkpoints: async (at) => atCheckpoint(at),
    settings: { storeName: 'Tea & Tin', senderAddress: 'team@shop.example.com' },
  });
  const workTargets = [
    { name: 'Mia', role: 'manager' },
    { name: 'Ben', role: 'agent' },
    { name: 'Ana', role: 'agent' },
  ];
  expect((await own('/api/settings', 'PATCH', { settings: { workTargets } })).status).toBe(200);
});
afterAll(async () => {
  await shop.close();
  await receiver.close();
});
afterEach(async () => {
  atCheckpoint = () => undefined;
  receiver.behave = () => ({ status: 204 });
  receiver.received.length = 0;
  shop.smtp.behave();
  shop.smtp.accepted.length = 0;
  await asOwner(
    shop.database.url,
    `update notification_targets set removed_at = now(); update notifications set state = 'dropped' where state in ('waiting', 'calling')`,
    [],
  );
});

type Body = Record<string, unknown>;
const own = (url: string, method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE' = 'GET', payload?: Body) =>
  shop.app
    .inject({ method, url, headers: { authorization: `Bearer ${shop.tenant.apiKey}` }, ...(payload === undefined ? {} : { payload }) })
    .then((answer) => ({ status: answer.statusCode, body: (answer.body === '' ? null : answer.json()) as Body }));
const inTenant = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);

async function aTarget(channel: string, address: string, owner: string | null = 'Mia', kinds: string[] = []): Promise<Body> {
  const made = await own('/api/notification-targets', 'POST', { channel, address, owner, kinds });
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  return made.body;
}
/** A task of somebody's, as every part of the product makes one. */
async function aTask(more: Partial<typeof tasks.$inferInsert> = {}): Promise<string> {
  const id = randomUUID();
  await inTenant((tx) =>
    tx.insert(tasks).values({
      tenantId: shop.tenant.tenantId,
      id,
      kind: 'escalation',
      owner: 'Mia',
      recommendation: 'Call them today.',
      data: { name: 'Kim Example' },
      ...more,
    }),
  );
  return id;
}
async function deliverAll(): Promise<void> {
  while (await deliverNext(shop.deps, shop.tenant.tenantId, new Set()));
}
const told = (task: string) => inTenant((tx) => tx.select().from(notifications).where(eq(notifications.taskId, task)).orderBy(asc(notifications.id)));
const taskOf = async (id: string) => (await inTenant((tx) => tx.select().from(tasks).where(eq(tasks.id, id))))[0];
const makeDue = (task: string) =>
  asOwner(shop.database.url, `update notifications set next_at = now() - interval '1 second' where task_id = $1`, [task]);

async function mailFor(task: string) {
  const [row] = await told(task);
  const mail = await shop.smtp.waitForMail(({ raw }) => raw.includes(`notification.${row?.id}@`));
  return { raw: mail.raw.toString('latin1'), envelope: mail.envelope, ...(await PostalMime.parse(mail.raw)) };
}
/** The links of an email, by what they do. */
async function linksIn(task: string): Promise<Record<'accept' | 'reassign' | 'snooze' | 'resolve', string>> {
  const { text = '' } = await mailFor(task);
  const of = (action: string) => new RegExp(`/t/${action}/[\\w-]+`).exec(text)?.[0] ?? '';
  return { accept: of('accept'), reassign: of('reassign'), snooze: of('snooze'), resolve: of('resolve') };
}
const open = (url: string, headers: Record<string, string> = {}) => shop.app.inject({ method: 'GET', url, headers });
const press = (url: string, form: Record<string, string> = {}) =>
  shop.app.inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams(form).toString(),
  });

describe('an owner is told', () => {
  test('by email: who, what was tried, the risk with its factors, what to do, a button for each action, and nothing to unsubscribe from', async () => {
    await aTarget('email', 'Mia@Example.com');
    const task = await aTask({
      data: {
        name: 'Kim Example',
        risk: { band: 'critical', says: 'It ranks 0.91 of 1 by rules of thumb.', factors: [{ features: ['daysSinceOrder'], weight: 1.25 }] },
        tried: [{ channel: 'email', step: 'offer', sequence: 'churn-active', state: 'sent', at: '2026-11-20T09:00:00.000Z' }],
      },
    });
    await deliverAll();
    const { raw, envelope, subject, text, html } = await mailFor(task);
    expect(envelope).toMatchObject({ from: 'team@shop.example.com', to: ['mia@example.com'] });
    expect(subject).toBe('Escalation: Kim Example');
    for (const part of [text, html])
      for (const says of ['Kim Example', 'Call them today.', 'It ranks 0.91', 'days since order (+1.25)', 'email, step offer of churn-active'])
        expect(part).toContain(says);
    expect(raw).not.toMatch(/^List-Unsubscribe/im);
    expect(Object.values(await linksIn(task)).every((link) => link !== '')).toBe(true);
    expect(await told(task)).toMatchObject([{ state: 'sent', cause: 'opened', attempts: 0, claims: 1 }]);
    const list = await own(`/api/notifications?task=${task}`);
    expect(list.body).toMatchObject({ data: [{ task, owner: 'Mia', channel: 'email', state: 'sent', uses: [] }] });
  });

  test('whose task it is, for the kinds that the target wants; anybody’s go to targets of anybody’s', async () => {
    const [mia, ben, any, hot] = [
      await aTarget('webhook', receiver.url),
      await aTarget('webhook', receiver.url, 'Ben'),
      await aTarget('webhook', receiver.url, null),
      await aTarget('webhook', receiver.url, null, ['hot_lead']),
    ];
    const owned = await aTask();
    await inTenant((tx) => addTask(tx, shop.tenant.tenantId, { kind: 'question', key: 'chat:7', subjectId: null, data: { note: 'Do you ship?' } }));
    const [anybodys] = await inTenant((tx) => tx.select().from(tasks).where(eq(tasks.key, 'chat:7')));
    expect((await told(owned)).map(({ targetId }) => targetId)).toEqual([mia['id']]);
    expect((await told(anybodys?.id ?? '')).map(({ targetId }) => targetId)).toEqual([any['id']]);
    await own(`/api/tasks/${owned}/reassign`, 'POST', { owner: 'Ben' });
    await deliverAll();
    // The first was not needed any more: Ben has the task.
    expect((await told(owned)).map(({ targetId, cause, state }) => [targetId, cause, state])).toEqual([
      [mia['id'], 'opened', 'dropped'],
      [ben['id'], 'assigned', 'sent'],
    ]);
    // Who accepts a task knows of it, and what is suppressed is no work.
    await own(`/api/tasks/${owned}/accept`, 'POST', { owner: 'Ana' });
    await aTask({ state: 'dismissed', suppressed: true });
    expect(await told(owned)).toHaveLength(2);
    expect(hot['id']).toBeDefined();
  });

  test('by webhook: signed, with everything that programs need; by Slack: text that nothing breaks out of', async () => {
    const target = await aTarget('webhook', receiver.url);
    await aTarget('slack', `${receiver.url}/services/T0/B0/secret`);
    const task = await aTask({ data: { name: '<!channel> & Co' } });
    await deliverAll();
    const signed = receiver.received.find(({ headers }) => headers['webhook-id'] !== undefined);
    const slack = receiver.received.find(({ headers }) => headers['webhook-id'] === undefined);
    if (signed === undefined || slack === undefined) throw new Error('not both came');
    const delivery = { method: 'POST' as const, url: receiver.url, raw: Buffer.from(signed.body), headers: signed.headers, receivedAtMs: Date.now() };
    expect(verifyStandardWebhook(delivery, [String(target['secret'])], 'webhook')).toBeNull();
    expect(signed.json).toMatchObject({ type: 'task.notification', data: { cause: 'opened', task: { id: task, kind: 'escalation' } } });
    const { text } = JSON.parse(slack.body) as { text: string };
    expect(text).toContain('&lt;!channel&gt; &amp; Co');
    expect(text).toMatch(/<http:\/\/rekindle\.example\.com\/t\/accept\/[\w-]+\|Accept>/);
    // What lets somebody in is shown to nobody.
    expect(JSON.stringify((await own('/api/notification-targets')).body)).not.toContain('secret');
  });
});

test('an escalation about an account tells what the account did lately', async () => {
  await aTarget('webhook', receiver.url);
  const behaviour = [{ kind: 'visit', at: new Date(Date.now() - 40 * 86_400_000).toISOString() }];
  const contact = { email: 'kim@example.com', first_name: 'Kim', last_name: 'Example' };
  const { account } = (await own('/api/behaviour', 'POST', { account: { id: 'account-1' }, contact, behaviour })).body as { account: string };
  const made = await own('/api/escalations', 'POST', { subject: account, note: 'Wants to leave.' });
  expect(made).toMatchObject({ status: 201, body: { owner: 'Mia' } });
  await deliverAll();
  const { text } = receiver.received[0]?.json.data ?? {};
  for (const says of ['Kim Example', 'kim@example.com', 'Wants to leave.', 'Visited the store.']) expect(text).toContain(says);
});

describe('at most once', () => {
  test('a refusal is tried again, an address that is gone is parked, and resumed by hand', async () => {
    await aTarget('slack', receiver.url);
    const task = await aTask();
    receiver.behave = () => ({ status: 429, headers: { 'retry-after': '120' } });
    await deliverAll();
    const [waiting] = await told(task);
    expect(waiting).toMatchObject({ state: 'waiting', attempts: 1, response: 'HTTP 429' });
    expect((waiting?.nextAt ?? 0) - Date.now()).toBeGreaterThan(60_000);
    receiver.behave = () => ({ status: 410 });
    await makeDue(task);
    await deliverAll();
    const [parked] = await told(task);
    expect(parked).toMatchObject({ state: 'parked', response: 'HTTP 410' });
    const waits = await own('/api/parked?kind=notification');
    expect(waits.body).toMatchObject({
      data: [{ kind: 'notification', cause: 'not_told', sentence: expect.stringContaining('Mia was not told by slack') as unknown }],
    });
    receiver.behave = () => ({ status: 200 });
    expect((await own(`/api/notifications/${parked?.id}/resume`, 'POST')).status).toBe(204);
    await deliverAll();
    expect(await told(task)).toMatchObject([{ state: 'sent' }]);
    expect(receiver.received).toHaveLength(3);
    expect((await own(`/api/notifications/${parked?.id}/resume`, 'POST')).body).toMatchObject({ code: 'not_parked' });
  });

  test('one that may have arrived is never sent again; a webhook is, under the same id', async () => {
    await aTarget('slack', receiver.url);
    await aTarget('webhook', receiver.url);
    const task = await aTask();
    receiver.behave = () => 'drop';
    await deliverAll();
    expect((await told(task)).map(({ state }) => state).toSorted()).toEqual(['unknown', 'waiting']);
    receiver.behave = () => ({ status: 204 });
    await makeDue(task);
    await deliverAll();
    expect((await told(task)).map(({ state }) => state).toSorted()).toEqual(['sent', 'unknown']);
    const ids = receiver.received.map(({ headers }) => headers['webhook-id']).filter((id) => id !== undefined);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
    expect(receiver.received).toHaveLength(3);
  });

  test.each(['notification.claimed', 'notification.handed_over'])('a process that dies at %s leaves no second copy', async (at) => {
    await aTarget('email', 'mia@example.com');
    const task = await aTask();
    atCheckpoint = (reached) => {
      if (reached === at) throw new Error('killed');
    };
    await expect(deliverAll()).rejects.toThrow('killed');
    atCheckpoint = () => undefined;
    // Before its lease is over nobody touches it; afterwards nobody knows.
    await deliverAll();
    expect(await told(task)).toMatchObject([{ state: 'calling' }]);
    await makeDue(task);
    await deliverAll();
    expect(await told(task)).toMatchObject([{ state: 'unknown', claims: 1 }]);
    expect(shop.smtp.accepted.length).toBe(at === 'notification.claimed' ? 0 : 1);
    const [row] = await told(task);
    expect((await own(`/api/notifications/${row?.id}/resume`, 'POST')).status).toBe(409);
  });

  test('any number of workers send each once', async () => {
    await aTarget('email', 'mia@example.com');
    const all = await Promise.all(Array.from({ length: 12 }, () => aTask()));
    const workers = Array.from({ length: 4 }, () => createNotificationWorker(shop.deps));
    await Promise.all(workers.map((worker) => worker.pass()));
    // Whoever has begun ends what there is.
    await Promise.all(Array.from({ length: 3 }, deliverAll));
    await Promise.all(workers.map((worker) => worker.stop()));
    for (const task of all) expect(await told(task)).toMatchObject([{ state: 'sent', claims: 1 }]);
    expect(shop.smtp.accepted).toHaveLength(12);
  });

  test('without an account for texts it is parked, and says what is missing', async () => {
    await aTarget('sms', '+12025550143');
    const task = await aTask();
    await deliverAll();
    expect(await told(task)).toMatchObject([{ state: 'parked', response: expect.stringContaining('connect one') as unknown }]);
  });
});

describe('a link', () => {
  async function aMail(more: Partial<typeof tasks.$inferInsert> = {}, owner: string | null = 'Mia') {
    await aTarget('email', 'mia@example.com', owner);
    const task = await aTask({ owner, ...more });
    await deliverAll();
    return { task, links: await linksIn(task) };
  }

  test('opened by a program changes nothing; pressed, it acts', async () => {
    const { task, links } = await aMail();
    for (const link of Object.values(links)) {
      const page = await open(link, { 'user-agent': 'SafeLinks scanner' });
      expect(page.statusCode).toBe(200);
      expect(page.headers['content-security-policy']).toContain("default-src 'none'");
      expect(page.headers['cache-control']).toBe('no-store');
      expect(page.body).toContain('Nothing has happened yet');
    }
    expect((await shop.app.inject({ method: 'HEAD', url: links.accept })).statusCode).toBe(200);
    expect(await taskOf(task)).toMatchObject({ state: 'open', acceptedAt: null, owner: 'Mia' });
    const done = await press(links.accept);
    expect(done.statusCode).toBe(200);
    expect(done.body).toContain('The task is yours');
    expect(await taskOf(task)).toMatchObject({ state: 'open', owner: 'Mia', acceptedBy: expect.stringMatching(/^notification:/) as unknown });
    const again = await press(links.accept);
    expect(again.statusCode).toBe(409);
    expect(again.body).toMatch(/This link has been used[\s\S]*by <b>Mia<\/b>/);
    expect((await open(links.accept)).body).toContain('This link has been used');
    expect((await own(`/api/notifications?task=${task}`)).body).toMatchObject({ data: [{ uses: [{ action: 'accept', by: 'Mia' }] }] });
  });

  test('snoozes, reassigns and resolves by what the form says, and refuses what it cannot mean', async () => {
    const { task, links } = await aMail();
    expect((await press(links.snooze, { hours: '9999' })).statusCode).toBe(400);
    expect((await press(links.snooze, { hours: '4' })).statusCode).toBe(200);
    expect(((await taskOf(task))?.dueAt ?? 0) - Date.now()).toBeGreaterThan(3 * 3_600_000);
    expect((await press(links.reassign, { to: 'Eve' })).statusCode).toBe(400);
    expect((await press(links.reassign, { to: 'Ben' })).statusCode).toBe(200);
    expect(await taskOf(task)).toMatchObject({ owner: 'Ben', acceptedAt: null });
    // It is not Mia's any more.
    const late = await press(links.resolve, { state: 'done' });
    expect(late.statusCode).toBe(409);
    expect(late.body).toContain('<b>Ben</b> has it now');
    expect(await taskOf(task)).toMatchObject({ state: 'open' });
    const other = await aMail();
    expect((await press(other.links.resolve, { state: 'done', result: 'called back' })).statusCode).toBe(200);
    expect(await taskOf(other.task)).toMatchObject({ state: 'done', result: 'called back' });
    expect((await press(other.links.accept)).body).toContain('This task is closed');
  });

  test('about a task of anybody’s asks who it is, and the first has it', async () => {
    const { task, links } = await aMail({}, null);
    expect((await open(links.accept)).body).toContain('name="by"');
    expect((await press(links.accept)).statusCode).toBe(400);
    expect((await press(links.accept, { by: 'Ana' })).statusCode).toBe(200);
    expect(await taskOf(task)).toMatchObject({ owner: 'Ana' });
    expect((await press(links.snooze, { by: 'Ben', hours: '1' })).body).toContain('<b>Ana</b> has it now');
  });

  test('acts once, however many press it at once', async () => {
    const { task, links } = await aMail();
    const answers = await Promise.all(Array.from({ length: 8 }, () => press(links.snooze, { hours: '1' })));
    expect(answers.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b)).toEqual([200, ...Array.from({ length: 7 }, () => 409)]);
    const [row] = await told(task);
    const uses = await inTenant((tx) =>
      tx
        .select()
        .from(notificationUses)
        .where(eq(notificationUses.notificationId, row?.id ?? '')),
    );
    expect(uses).toHaveLength(1);
  });

  test('expires after a week', async () => {
    const { task, links } = await aMail();
    await asOwner(shop.database.url, `update notifications set created_at = created_at - interval '7 days' where task_id = $1`, [task]);
    expect((await open(links.accept)).statusCode).toBe(410);
    expect((await press(links.accept)).body).toContain('This link has expired');
    expect(await taskOf(task)).toMatchObject({ acceptedAt: null });
  });

  test('that is forged, cut off, for another action, or of another store leads nowhere', async () => {
    const { task, links } = await aMail();
    const token = links.accept.split('/').at(-1) ?? '';
    const [row] = await told(task);
    const stranger = createLinkTokens(randomBytes(32));
    const elsewhere = await provisionTenant(shop.deps, {
      slug: `other-${randomBytes(4).toString('hex')}`,
      name: 'Other',
      timeScale: 1,
      synthetic: true,
      settings: {},
    });
    const forged = [
      `/t/accept/${stranger.sign({ purpose: 'task accept', tenantId: shop.tenant.tenantId, messageId: row?.id ?? '' })}`,
      `/t/accept/${shop.deps.links.sign({ purpose: 'task accept', tenantId: elsewhere.tenantId, messageId: row?.id ?? '' })}`,
      `/t/accept/${token.slice(0, -2)}`,
      `/t/resolve/${token}`,
      `/t/delete/${token}`,
      `/u/${token}`,
      `/t/${token}`,
    ];
    for (const url of forged) {
      expect((await open(url)).statusCode, url).toBe(404);
      if (!/^\/t\/[^/]+$/.test(url)) expect((await press(url, { state: 'done' })).statusCode, url).toBe(404);
    }
    expect(await taskOf(task)).toMatchObject({ state: 'open', acceptedAt: null });
  });

  test('no token that was changed in any place is taken', async () => {
    const { links } = await aMail();
    const [, , , token = ''] = links.accept.split('/');
    const bytes = Buffer.from(token, 'base64url');
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const other = Buffer.from(bytes);
        other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(shop.deps.links.read(other.toString('base64url'), 'task accept')).toBeNull();
      }),
    );
  });
});

describe('what notifications say', () => {
  test('is the store’s, where it has written it, and is validated before', async () => {
    const put = (body: Body, kind = 'escalation', channel = 'email') => own(`/api/notification-templates/${kind}/${channel}`, 'PUT', body);
    const wrong = await put({ subject: 'x', body: 'Dear {{ persn.name }}\n{% if risk %}' });
    expect(wrong.status).toBe(400);
    expect(JSON.stringify(wrong.body)).toContain('body/body');
    expect((await put({ body: 'Without a subject' })).status).toBe(400);
    expect((await put({ subject: 'No place here', body: 'x' }, 'escalation', 'sms')).status).toBe(400);
    expect(JSON.stringify((await put({ subject: 'x', body: '{{ person.name }}' })).body)).toContain('missing');
    expect((await put({ subject: 'Look at {{ person.name | default: "them" }}', body: 'By {{ task.due }}, please.' })).status).toBe(200);
    await aTarget('email', 'mia@example.com');
    const task = await aTask();
    const preview = await own('/api/notification-templates/preview', 'POST', { channel: 'email', kind: 'escalation', task });
    expect(preview.body).toMatchObject({ subject: 'Look at Kim Example', html: expect.stringContaining('Accept') as unknown });
    await deliverAll();
    expect((await mailFor(task)).subject).toBe('Look at Kim Example');
    expect((await own('/api/notification-templates/escalation/email', 'DELETE')).status).toBe(204);
    expect((await own('/api/notification-templates/escalation/email', 'DELETE')).status).toBe(404);
    const { templates } = (await own('/api/notification-templates')).body as { templates: { kind: string; channel: string; own: boolean }[] };
    expect(templates.filter((one) => one.own)).toEqual([]);
    expect(templates.filter(({ kind }) => kind === 'hot_lead').map(({ channel }) => channel)).toEqual([
      'email',
      'sms',
      'telegram',
      'slack',
      'webhook',
    ]);
  });

  test('an address that cannot be one is refused', async () => {
    for (const [channel, address] of [
      ['email', 'nobody'],
      ['sms', 'call me'],
      ['telegram', '@somebody'],
      ['slack', 'ftp://hooks.example.com'],
      ['webhook', `https://${'user'}:${'x'}@hooks.example.com/`],
    ] as const)
      expect((await own('/api/notification-targets', 'POST', { channel, address })).body, channel).toMatchObject({ code: 'invalid_request' });
  });
});

test('another store has none of it', async () => {
  await aTarget('email', 'mia@example.com');
  const task = await aTask();
  const other = await provisionTenant(shop.deps, {
    slug: `third-${randomBytes(4).toString('hex')}`,
    name: 'Third',
    timeScale: 1,
    synthetic: true,
    settings: {},
  });
  const [row] = await told(task);
  const foreign = (url: string, method: 'GET' | 'POST' = 'GET') => ask(shop, other.apiKey ?? '', url, method, method === 'POST' ? {} : undefined);
  expect((await foreign('/api/notifications')).body).toMatchObject({ data: [] });
  expect((await foreign('/api/notification-targets')).body).toMatchObject({ data: [] });
  expect((await foreign(`/api/notifications/${row?.id}/drop`, 'POST')).status).toBe(404);
  expect(
    await inTenant((tx) =>
      tx
        .select()
        .from(notifications)
        .where(and(eq(notifications.taskId, task), eq(notifications.state, 'waiting'))),
    ),
  ).toHaveLength(1);
});
