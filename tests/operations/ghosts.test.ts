import { and, asc, eq } from 'drizzle-orm';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { enrollments, messages, sequences, subjects } from '../../db/schema/index.ts';
import { webhookSecretOf } from '../../integrations/telegram/config.ts';
import { createConnection } from '../../operations/connections.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { changeSettings } from '../../operations/settings.ts';
import { sweepGhosts } from '../../operations/sweep-ghosts.ts';
import { type StartedBotApi, startBotApi } from '../helpers/bot-api.ts';
import { openShop, type Shop } from '../helpers/shop.ts';

// A lead that leaves a chat: docs/rules.md#rule-67. Time is the messages' own: what somebody wrote two hours ago was written two hours ago.

const token = '987654321:an-invented-token-of-35-characters_';
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
let shop: Shop;
let far: StartedBotApi;
let path: string;
beforeAll(async () => {
  far = await startBotApi();
  shop = await openShop({ timeScale: 1 });
  const config = { token, updates: 'webhook', baseUrl: far.url };
  const made = await createConnection(shop.deps, shop.tenant.tenantId, { integration: 'telegram', name: 'Bot', config, secrets: [] }, 'a test');
  if (made.kind !== 'created') throw new Error(JSON.stringify(made));
  path = `/api/webhooks/telegram/${made.connection.id}`;
});
afterAll(async () => {
  await shop.close();
  await far.stop();
});

const inTenant = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);
let count = 0;
/** Somebody in a chat. */
function somebody(language = 'en', name = 'Ana') {
  const id = 5_000_000 + ++count;
  const user = { id, first_name: name, language_code: language };
  // The far end knows the chat, so that it takes messages.
  far.api.bot(token).chats.set(id, { user, said: [], isBlocked: false });
  let updateId = id * 100;
  const post = async (update: object) => {
    const headers = { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': webhookSecretOf({ token }) };
    const answer = await shop.app.inject({ method: 'POST', url: path, headers, payload: JSON.stringify({ update_id: ++updateId, ...update }) });
    expect(answer.statusCode).toBe(200);
  };
  const at = (agoMs: number) => ({
    message_id: 1,
    from: { ...user, is_bot: false },
    chat: { id, type: 'private' },
    date: Math.floor((Date.now() - agoMs) / 1_000),
  });
  return {
    id,
    says: (text: string, agoMs = 0) => post({ message: { ...at(agoMs), text } }),
    shares: (agoMs = 0) =>
      post({ message: { ...at(agoMs), contact: { phone_number: `1202555${String(1_000 + (id % 9_000))}`, first_name: name, user_id: id } } }),
    presses: (value: string) => post({ callback_query: { id: '1', from: { ...user, is_bot: false }, message: at(0), data: value } }),
    blocks: () => post({ my_chat_member: { ...at(0), old_chat_member: { status: 'member' }, new_chat_member: { status: 'kicked' } } }),
    lead: async () => {
      const { rows } = await inTenant((tx) =>
        tx.$client.query<{ id: string; sent: boolean }>({
          text: `select s.id, s.ghost_reminder_sent as sent from subjects s join subject_keys k on k.subject_id = s.id where k.kind = 'telegram_chat' and k.value = $1`,
          values: [String(id)],
        }),
      );
      const [row] = rows;
      if (row === undefined) throw new Error('no lead');
      return row;
    },
  };
}
type Somebody = ReturnType<typeof somebody>;
const ghostsOf = async (one: Somebody) => {
  const { id } = await one.lead();
  return inTenant((tx) =>
    tx
      .select({ run: enrollments })
      .from(enrollments)
      .innerJoin(sequences, and(eq(sequences.id, enrollments.sequenceId), eq(sequences.slug, 'ghost')))
      .where(eq(enrollments.subjectId, id))
      .orderBy(asc(enrollments.id)),
  ).then((rows) => rows.map(({ run }) => run));
};
const dispatch = async (one: Somebody) => {
  const open = (await ghostsOf(one)).find(({ endedAt }) => endedAt === null);
  if (open === undefined) throw new Error('nothing is awaited');
  // Where the message before it left a moment ago, its own moment comes soon.
  for (;;) {
    const result = await dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: open.id, stepId: 'ghost_2h' });
    if (result.kind !== 'again' || result.inMs > 2_000) break;
    await new Promise((done) => setTimeout(done, result.inMs));
  }
  const [message] = await inTenant((tx) => tx.select().from(messages).where(eq(messages.enrollmentId, open.id)));
  const [run] = await inTenant((tx) => tx.select().from(enrollments).where(eq(enrollments.id, open.id)));
  return { message, run };
};
const isReminder = /stopped halfway|نصفه موند|نُكمل|не договорили/;
const saidTo = (one: Somebody) => (far.api.bot(token).chats.get(one.id)?.said ?? []).filter(({ by, text }) => by === 'bot' && isReminder.test(text));

describe('a lead that leaves the chat', () => {
  test.each([
    ['en', 'Ana', /^\[Demo\] Hi Ana! We stopped halfway\. .* When would be a good time to talk\?$/],
    ['fa', 'آنا', /سلام آنا! حرفمون نصفه موند/],
    ['ar', 'آنا', /مرحباً آنا! لم نُكمل حديثنا/],
    ['ru', 'Анна', /Привет, Анна! Мы не договорили\. /],
    ['tr', '', /Hi there! We stopped halfway\./],
  ])('gets one reminder after two hours, in their language (%s), and the flag with it', async (language, name, text) => {
    const one = somebody(language, name);
    await one.shares(2 * hourMs + 1_000);
    const { message, run } = await dispatch(one);
    expect(message).toMatchObject({ state: 'sent', channel: 'telegram', providerMessageId: expect.any(String) });
    expect(run).toMatchObject({ status: 'COMPLETED' });
    expect(saidTo(one)).toMatchObject([{ text: expect.stringMatching(text), buttons: [[{ callback_data: 'schedule_consultation' }]] }]);
    expect(await one.lead()).toMatchObject({ sent: true });
    // Back in the chat, and gone again: never a second one.
    await one.says('yes', hourMs);
    expect((await ghostsOf(one)).filter(({ endedAt }) => endedAt === null)).toEqual([]);
  });

  test('gets nothing before two hours, and every message and button counts them anew', async () => {
    const one = somebody();
    await one.shares(2 * hourMs - 5 * minuteMs);
    expect((await dispatch(one)).message).toBeUndefined();
    await one.says('and that one?', hourMs);
    await one.presses('more');
    const { run } = await dispatch(one);
    expect(run?.anchorAt).toBeGreaterThan(Date.now() - minuteMs);
    expect(await ghostsOf(one)).toHaveLength(1);
    expect(saidTo(one)).toEqual([]);
  });

  test('without a number is left alone, with the reason, until they share one', async () => {
    const one = somebody();
    await one.says('hello', 3 * hourMs);
    expect((await dispatch(one)).run).toMatchObject({ status: 'EXITED', stopReason: 'filtered' });
    await one.shares(2 * hourMs + 1_000);
    expect((await dispatch(one)).message).toMatchObject({ state: 'sent' });
  });

  test('with a viewing is left alone', async () => {
    const one = somebody();
    await one.shares(3 * hourMs);
    const { id } = await one.lead();
    await inTenant((tx) => tx.update(subjects).set({ viewingScheduledAt: Date.now() }).where(eq(subjects.id, id)));
    expect((await dispatch(one)).run).toMatchObject({ stopReason: 'filtered' });
    expect(saidTo(one)).toEqual([]);
  });

  test('that blocks the bot, or says STOP, gets nothing', async () => {
    for (const end of [(one: Somebody) => one.blocks(), (one: Somebody) => one.says('STOP')]) {
      const one = somebody();
      await one.shares(3 * hourMs);
      await end(one);
      expect((await ghostsOf(one)).map(({ stopReason }) => stopReason)).toEqual(['opted_out']);
      expect(saidTo(one)).toEqual([]);
    }
  });

  test('whose chat refuses the message for good is not written to again there, until they write themselves', async () => {
    const one = somebody();
    await one.shares(3 * hourMs);
    const chat = far.api.bot(token).chats.get(one.id);
    if (chat !== undefined) chat.isBlocked = true;
    expect((await dispatch(one)).message).toMatchObject({ state: 'skipped', skipReason: 'refused' });
    expect(await one.lead()).toMatchObject({ sent: false });
    if (chat !== undefined) chat.isBlocked = false;
    await one.says('I am back', 2 * hourMs + 1_000);
    expect((await dispatch(one)).message).toMatchObject({ state: 'sent' });
  });

  test('whose message may have gone out gets no second one', async () => {
    const one = somebody();
    await one.shares(3 * hourMs);
    far.api.intercept = ({ method, body }) =>
      method === 'sendMessage' && body['chat_id'] === one.id && isReminder.test(String(body['text'])) ? { status: 502, body: {} } : null;
    expect((await dispatch(one)).message).toMatchObject({ state: 'unknown' });
    far.api.intercept = () => null;
    expect(await one.lead()).toMatchObject({ sent: true });
    await one.says('hello?', 2 * hourMs + 1_000);
    expect((await ghostsOf(one)).filter(({ endedAt }) => endedAt === null)).toEqual([]);
  });
});

describe('the sweep', () => {
  const sweep = () => sweepGhosts(shop.deps, { most: 100, everySeconds: 1_800 });

  test('finds who left while the sequence was paused, the longest gone first, and begins each once', async () => {
    const pause = (paused: boolean) => inTenant((tx) => tx.update(sequences).set({ paused }).where(eq(sequences.slug, 'ghost')));
    await pause(true);
    const [first, second, recent] = [somebody(), somebody(), somebody()];
    await second.shares(3 * hourMs);
    await first.shares(4 * hourMs);
    await recent.shares(hourMs);
    expect(await ghostsOf(first)).toEqual([]);
    await pause(false);
    expect(await sweep()).toMatchObject({ found: 2, begun: 2, failed: 0 });
    const [one] = await ghostsOf(first);
    const [two] = await ghostsOf(second);
    expect((one?.id ?? '') < (two?.id ?? '')).toBe(true);
    expect(await sweep()).toMatchObject({ found: 0 });
    expect((await dispatch(first)).message).toMatchObject({ state: 'sent' });
    expect(await sweep()).toMatchObject({ found: 0 });
  });

  test('comes to a store as often as its settings say, and whom a pass leaves is found later', async () => {
    const pause = (paused: boolean) => inTenant((tx) => tx.update(sequences).set({ paused }).where(eq(sequences.slug, 'ghost')));
    const every = (ghostSweepMinutes: number | null) =>
      changeSettings(shop.deps, shop.tenant.tenantId, { changes: { ghostSweepMinutes }, expectedVersion: null, by: 'test' });
    await every(1_440);
    await sweep();
    await pause(true);
    await somebody().shares(3 * hourMs);
    await pause(false);
    expect(await sweep()).toMatchObject({ found: 0 });
    await every(null);
    expect(await sweep()).toMatchObject({ found: 1, begun: 1 });
  });

  test('asks for them by an index', async () => {
    const owner = new pg.Client({ connectionString: shop.database.url });
    await owner.connect();
    await owner.query('set enable_seqscan = off');
    const { rows } = await owner.query<Record<string, string>>(
      `explain select id from subjects where tenant_id = '${shop.tenant.tenantId}' and last_interaction_at is not null and not ghost_reminder_sent
         and viewing_scheduled_at is null and state = 'open' and last_interaction_at <= now() order by last_interaction_at limit 100`,
    );
    await owner.end();
    expect(rows.map((row) => Object.values(row).join()).join('\n')).toContain('subjects_ghosts');
  });
});
