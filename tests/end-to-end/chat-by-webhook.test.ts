import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bots, chatUpdates, contactIdentities, inbox, suppressions } from '../../db/schema/index.ts';
import { createConnection, removeConnection } from '../../operations/connections.ts';
import { type StartedBotApi, startBotApi } from '../helpers/bot-api.ts';
import { openShop, type Shop, until } from '../helpers/shop.ts';

// A bot by webhook, end to end: the worker tells Telegram the address of the API, Telegram delivers there by HTTP, and the answers come back through the
// Bot API. On real Postgres and Temporal, between three servers on loopback.

const token = '987654322:an-invented-token-of-35-characters_';
let shop: Shop;
let far: StartedBotApi;
let apiUrl: string;
/** What goes into `rekindle_chat_answer_seconds`. */
const answeredMs: number[] = [];
beforeAll(async () => {
  far = await startBotApi();
  shop = await openShop({ timeScale: 1 });
  apiUrl = await shop.app.listen({ host: '127.0.0.1', port: 0 });
  shop.deps.publicUrl = apiUrl;
  shop.deps.telemetry = { ...shop.deps.telemetry, chatAnswered: (ms) => void answeredMs.push(ms) };
  await shop.startWorker({ botTimes: { leaseMs: 20_000, renewEveryMs: 200, pollMs: 5_000 } });
});
afterAll(async () => {
  await shop.close();
  await far.stop();
});

const inTenant = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);
const heard = (id: number) =>
  far.api
    .bot(token)
    .chats.get(id)
    ?.said.filter(({ by }) => by === 'bot') ?? [];
const callsOf = (name: string) => far.api.calls.filter(({ method }) => method === name);

test('told its address, delivered by HTTP, forged and repeated, answered once, and taken back with its connection', {
  timeout: 300_000,
}, async () => {
  const config = { token, updates: 'webhook', baseUrl: far.url };
  const made = await createConnection(shop.deps, shop.tenant.tenantId, { integration: 'telegram', name: 'Bot', config, secrets: [] }, 'a test');
  if (made.kind !== 'created') throw new Error(JSON.stringify(made));
  const connectionId = made.connection.id;
  const updatesOf = () => inTenant((tx) => tx.select().from(chatUpdates).where(eq(chatUpdates.connectionId, connectionId)));
  const deliveries = () => inTenant((tx) => tx.select({ id: inbox.id }).from(inbox).where(eq(inbox.connectionId, connectionId)));
  const settled = () =>
    until('every update to be settled', async () => (await updatesOf()).every(({ state }) => state === 'answered' || state === 'silent'), 60_000);

  // The address of this connection at this installation, and a secret that follows from the token.
  await until('the webhook', () => far.api.bot(token).webhook !== null, 60_000);
  const webhook = far.api.bot(token).webhook;
  expect(webhook).toMatchObject({ url: `${apiUrl}/api/webhooks/telegram/${connectionId}`, secret: expect.stringMatching(/^987654322_[\w-]{20,}$/) });
  expect(callsOf('setWebhook')[0]?.body).toMatchObject({ drop_pending_updates: false, allowed_updates: expect.arrayContaining(['my_chat_member']) });
  await until('the bot to be kept', async () => (await inTenant((tx) => tx.select().from(bots)))[0]?.running === true, 60_000);

  const deliver = async (update: object, secret: string | null) => {
    const headers = { 'content-type': 'application/json', ...(secret === null ? {} : { 'x-telegram-bot-api-secret-token': secret }) };
    const response = await fetch(webhook?.url ?? '', { method: 'POST', headers, body: JSON.stringify(update) });
    await response.arrayBuffer();
    return response.status;
  };

  // Whoever knows the address and not the secret says nothing.
  const forger = { id: 66, first_name: 'Eve', language_code: 'en' };
  const message = {
    message_id: 1,
    from: { ...forger, is_bot: false },
    chat: { id: 66, type: 'private' },
    date: Math.floor(Date.now() / 1_000),
    text: '/start',
  };
  for (const secret of [null, '', 'x', `${webhook?.secret}x`, webhook?.secret?.replace(/^\d+/, '987654321') ?? ''])
    expect(await deliver({ update_id: 1, message }, secret), String(secret)).toBe(401);
  expect(await deliveries()).toEqual([]);

  // People in four languages begin; Telegram delivers each update, and it and two others are repeats that come at the same moment.
  const people = ['en', 'fa', 'ar', 'ru'].map((language_code, n) => ({ id: 20_000 + n, first_name: 'Ana', language_code }));
  const seen: object[] = [];
  const says = async (act: () => void, repeats = 2) => {
    act();
    const update = structuredClone(far.api.bot(token).updates.at(-1) ?? {});
    seen.push(update);
    for (const status of await Promise.all(Array.from({ length: repeats }, () => deliver(update, webhook?.secret ?? null)))) expect(status).toBe(200);
  };
  for (const user of people) await says(() => far.api.says(token, user, '/start'));
  await until('an answer to each', () => people.every(({ id }) => heard(id).length > 0), 60_000);
  const scripts = { en: /[a-z]/i, fa: /[\u0600-\u06ff]/, ar: /[\u0600-\u06ff]/, ru: /[а-я]/i };
  for (const { id, language_code } of people) expect(heard(id)[0]?.text).toMatch(scripts[language_code as keyof typeof scripts]);
  expect(new Set(people.map(({ id }) => heard(id)[0]?.text)).size).toBe(4);

  // A number, words, a button: the conversation goes on, and each is one update.
  const [ana] = people;
  if (ana === undefined) throw new Error('nobody');
  await says(() => far.api.shares(token, ana, '+12025550143'));
  await settled();
  const pressable = heard(ana.id).flatMap(({ buttons }) => buttons.flat().flatMap(({ callback_data: data }) => (data === undefined ? [] : [data])));
  const [button] = pressable.slice(-1);
  expect(button).toBeDefined();
  const before = heard(ana.id).length;
  await says(() => far.api.presses(token, ana, button ?? ''));
  await until('the answer to a button', () => heard(ana.id).length > before, 60_000);
  await until('the button being acknowledged', () => callsOf('answerCallbackQuery').length > 0, 60_000);
  await settled();

  // Everything once more, long after it was answered. Whoever writes afterwards is answered after it.
  for (const update of seen) expect(await deliver(update, webhook?.secret ?? null)).toBe(200);
  const last = { id: 30_000, first_name: 'Bo', language_code: 'en' };
  await says(() => far.api.says(token, last, 'hello'), 0);
  await until('the last answer', () => heard(last.id).length > 0, 60_000);
  await settled();
  const rows = await updatesOf();
  expect(rows).toHaveLength(seen.length);
  for (const { id } of [...people, last]) {
    const said = rows.filter(({ chatId }) => chatId === String(id)).sort((a, b) => a.updateId - b.updateId);
    expect(heard(id).map(({ text }) => text)).toEqual(said.flatMap(({ replies }) => replies ?? []));
    expect(said.flatMap(({ sent }) => sent ?? []).every(({ outcome }) => outcome === 'accepted')).toBe(true);
  }
  const phones = await until('the number', async () => {
    const found = await inTenant((tx) => tx.select().from(contactIdentities).where(eq(contactIdentities.kind, 'phone')));
    return found.length > 0 && found;
  });
  expect(phones.map(({ value }) => value)).toEqual(['+12025550143']);
  expect(heard(forger.id)).toEqual([]);
  // Each answer is measured once.
  expect(answeredMs).toHaveLength(rows.filter(({ state }) => state === 'answered').length);
  expect(answeredMs.every((ms) => ms >= 0)).toBe(true);

  // A block is an opt-out, however often it is told.
  await says(() => far.api.blocks(token, ana));
  const closed = await until('the opt-out', async () => {
    const found = await inTenant((tx) => tx.select().from(suppressions));
    return found.length > 0 && found;
  });
  expect(closed.map(({ reason }) => reason)).toContain('opted_out');

  // By webhook nothing is fetched; without its connection nothing is delivered.
  expect(callsOf('getUpdates')).toEqual([]);
  await removeConnection(shop.deps, shop.tenant.tenantId, connectionId, 'a test');
  await until('the webhook being taken back', () => far.api.bot(token).webhook === null, 60_000);
  expect(await deliver(seen[0] ?? {}, webhook?.secret ?? null)).toBeGreaterThanOrEqual(400);
});
