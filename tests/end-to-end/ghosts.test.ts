import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enrollments, messages, subjects } from '../../db/schema/index.ts';
import { createConnection } from '../../operations/connections.ts';
import { type StartedBotApi, startBotApi } from '../helpers/bot-api.ts';
import { changeState, type StateChange } from '../../operations/versions/change-state.ts';
import { openShop, type Shop, until } from '../helpers/shop.ts';

// From the chat to the reminder and its flag, on real Postgres and Temporal, by polling. `GHOSTS=1000 npm test -- tests/end-to-end/ghosts.test.ts` is the
// long run, which also prints how long answers took meanwhile.

const ghosts = Number(process.env['GHOSTS'] ?? 45);
/** Two hours of theirs take as long as all of them need to begin their chats. */
const twoHoursMs = 5_000 + ghosts * 100;
const token = '987654321:an-invented-token-of-35-characters_';
let shop: Shop;
let far: StartedBotApi;
beforeAll(async () => {
  far = await startBotApi();
  // More than 30 messages within a second are refused, as Telegram may.
  far.api.isStrict = true;
  shop = await openShop({ timeScale: Math.floor(7_200_000 / twoHoursMs) });
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

const change = (to: StateChange) =>
  changeState(shop.deps, { tenantId: shop.tenant.tenantId, slug: 'ghost', change: to, actor: 'a test', note: null });

test(`${ghosts} leads that left their chats are due at once: one reminder each at the rate of the bot, and answers do not wait`, {
  timeout: 120_000 + 10 * twoHoursMs,
}, async () => {
  const languages = ['en', 'fa', 'ar', 'ru'];
  await until('the bot', () => far.api.calls.some(({ method }) => method === 'getUpdates'));
  const people = Array.from({ length: ghosts }, (_, n) => ({ id: 10_000 + n, first_name: 'Ana', language_code: languages[n % 4] ?? 'en' }));
  // The bot answers in the conversation, too: a reminder is known by its words.
  const isReminder = (text: string) => /stopped halfway|نصفه موند|نُكمل|не договорили/.test(text);
  const heard = (id: number) =>
    far.api
      .bot(token)
      .chats.get(id)
      ?.said.filter(({ by }) => by === 'bot') ?? [];
  const reminders = (id: number) => heard(id).filter(({ text }) => isReminder(text));
  for (let from = 0; from < ghosts; from += 5) {
    const some = people.slice(from, from + 5);
    for (const [n, user] of some.entries()) far.api.shares(token, user, `+1202555${String(1_000 + ((from + n) % 9_000))}`);
    await until('the answers', () => some.every(({ id }) => heard(id).length > 0), 30_000);
  }
  await change('pause');
  const dueMs = Date.now() + twoHoursMs;
  await until('all to be due', () => Date.now() > dueMs, twoHoursMs + 10_000);
  const burst = far.api.calls.length;
  await change('resume');

  const visits: { id: number; askedMs: number; tookMs: number }[] = [];
  let nextMs = 0;
  for (let visitor = 1; !people.every(({ id }) => reminders(id).length > 0); visitor++) {
    const user = { id: 1_000_000 + visitor, first_name: 'Bo', language_code: 'en' };
    // Four a second: by themselves they keep to what Telegram takes of a bot.
    await until('the next visitor', () => Date.now() >= nextMs);
    const askedMs = Date.now();
    nextMs = askedMs + 250;
    far.api.says(token, user, 'hello');
    await until('an answer', () => heard(user.id).length > 0, 30_000);
    visits.push({ id: user.id, askedMs, tookMs: Date.now() - askedMs });
  }
  const answered = visits.toSorted((a, b) => a.tookMs - b.tookMs);
  if (process.env['GHOSTS'] !== undefined) {
    const messages = far.api.calls.slice(burst).filter(({ method }) => method === 'sendMessage');
    const startedMs = messages[0]?.atMs ?? 0;
    console.log(
      `answers meanwhile: ${answered.length}, median ${answered[answered.length >> 1]?.tookMs} ms, the slowest ${answered.at(-1)?.tookMs} ms`,
    );
    console.log(`messages: ${messages.length} in ${(((messages.at(-1)?.atMs ?? 0) - startedMs) / 1_000).toFixed(0)} s`);
    const taken = messages.filter(({ status }) => status === 200).map(({ atMs }) => atMs);
    const inSecond = taken.map((atMs, n) => taken.slice(0, n + 1).filter((before) => before > atMs - 1_000).length);
    const isAnswer = ({ body }: (typeof messages)[number]) => Number(body['chat_id']) >= 1_000_000;
    const refused = messages.filter(({ status }) => status === 429);
    console.log(`most in a second: ${Math.max(...inSecond)}, refused: ${refused.length}, of them answers: ${refused.filter(isAnswer).length}`);
    for (const { id, askedMs, tookMs } of answered.slice(-5).toReversed()) {
      const calls = messages.filter(({ body }) => Number(body['chat_id']) === id).map(({ atMs, status }) => `${status} after ${atMs - askedMs} ms`);
      const sentMeanwhile = taken.filter((atMs) => atMs > askedMs && atMs <= askedMs + tookMs).length;
      console.log(
        `  ${tookMs} ms, ${((askedMs - startedMs) / 1_000).toFixed(1)} s from the first message on: ${calls.join(', ')}; ${sentMeanwhile} messages left meanwhile`,
      );
    }
  }

  const beginnings = { en: /Hi Ana!/, fa: /^\u200f?.*سلام/, ar: /مرحباً/, ru: /Привет, Ana!/ };
  for (const { id, language_code } of people)
    expect(reminders(id), language_code).toMatchObject([{ text: expect.stringMatching(beginnings[language_code as keyof typeof beginnings]) }]);
  const sent = far.api.calls.slice(burst).filter(({ method, body }) => method === 'sendMessage' && isReminder(String(body['text'])));
  // One that a busy machine sent late may come upon others and be refused: it goes out again.
  expect(sent.length).toBeLessThan(ghosts * 1.2);
  // At 25 a second at most, the bot's thirty less what is left for answers and for what leaves late.
  expect((sent.at(-1)?.atMs ?? 0) - (sent[0]?.atMs ?? 0)).toBeGreaterThan((sent.length - 1) * 35);
  const flagged = async () => (await inTenant((tx) => tx.select().from(subjects))).filter(({ ghostReminderSent }) => ghostReminderSent).length;
  await until('every flag', async () => (await flagged()) === ghosts);
  // On a busy machine the first visitors' own two hours have passed by now: without a number, nothing is sent to them.
  const about = await inTenant((tx) =>
    tx
      .select({ state: messages.state })
      .from(messages)
      .innerJoin(enrollments, eq(enrollments.id, messages.enrollmentId))
      .innerJoin(subjects, eq(subjects.id, enrollments.subjectId))
      .where(eq(subjects.ghostReminderSent, true)),
  );
  expect(about.map(({ state }) => state)).toEqual(people.map(() => 'sent'));
});
