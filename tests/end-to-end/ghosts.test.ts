import { afterAll, beforeAll, expect, test } from 'vitest';
import { messages, subjects } from '../../db/schema/index.ts';
import { createConnection } from '../../operations/connections.ts';
import { type StartedBotApi, startBotApi } from '../helpers/bot-api.ts';
import { openShop, type Shop, until } from '../helpers/shop.ts';

// From the chat to the reminder and its flag, on real Postgres and Temporal, by polling: two hours in four seconds. `GHOSTS=1000` runs the long one.

const ghosts = Number(process.env['GHOSTS'] ?? 45);
const token = '987654321:an-invented-token-of-35-characters_';
let shop: Shop;
let far: StartedBotApi;
beforeAll(async () => {
  far = await startBotApi();
  // More than 30 messages within a second are refused, as Telegram may.
  far.api.isStrict = true;
  shop = await openShop({ timeScale: 1_800 });
  await shop.startWorker({ botTimes: { leaseMs: 5_000, renewEveryMs: 500, pollMs: 5_000 } });
  const config = { token, updates: 'polling', baseUrl: far.url };
  const made = await createConnection(shop.deps, shop.tenant.tenantId, { integration: 'telegram', name: 'Bot', config, secrets: [] }, 'a test');
  expect(made.kind).toBe('created');
});
afterAll(async () => {
  await shop.close();
  await far.stop();
});

const inTenant = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);

test(`${ghosts} leads that leave their chats at once get one reminder each, at no more than the rate`, { timeout: 300_000 }, async () => {
  const languages = ['en', 'fa', 'ar', 'ru'];
  await until('the bot', () => far.api.calls.some(({ method }) => method === 'getUpdates'));
  const people = Array.from({ length: ghosts }, (_, n) => ({ id: 10_000 + n, first_name: 'Ana', language_code: languages[n % 4] ?? 'en' }));
  for (const [n, user] of people.entries()) far.api.shares(token, user, `+1202555${String(1_000 + (n % 9_000))}`);
  // The bot answers in the conversation, too: a reminder is known by its words.
  const isReminder = (text: string) => /stopped halfway|نصفه موند|نُكمل|не договорили/.test(text);
  const said = (id: number) =>
    far.api
      .bot(token)
      .chats.get(id)
      ?.said.filter(({ by, text }) => by === 'bot' && isReminder(text)) ?? [];
  await until('a message to each', () => people.every(({ id }) => said(id).length > 0), 200_000);
  const beginnings = { en: /Hi Ana!/, fa: /^\u200f?.*سلام/, ar: /مرحباً/, ru: /Привет, Ana!/ };
  for (const { id, language_code } of people)
    expect(said(id), language_code).toMatchObject([{ text: expect.stringMatching(beginnings[language_code as keyof typeof beginnings]) }]);
  const sent = far.api.calls.filter(({ method, body }) => method === 'sendMessage' && isReminder(String(body['text']))).map(({ atMs }) => atMs);
  // One that a busy machine sent late may come upon others and be refused: it goes out again.
  expect(sent.length).toBeGreaterThanOrEqual(ghosts);
  expect(sent.length).toBeLessThan(ghosts * 1.2);
  // 34 ms apart each, so that no second has more than 30.
  expect((sent.at(-1) ?? 0) - (sent[0] ?? 0)).toBeGreaterThan((ghosts - 1) * 30);
  await until('every flag', async () => (await inTenant((tx) => tx.select().from(subjects))).every(({ ghostReminderSent }) => ghostReminderSent));
  expect((await inTenant((tx) => tx.select().from(messages))).filter(({ state }) => state !== 'sent')).toEqual([]);
});
