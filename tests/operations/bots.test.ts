import { randomUUID } from 'node:crypto';
import { and, eq } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bots, connections, contactIdentities, contacts, inbox, subjects, suppressions } from '../../db/schema/index.ts';
import type { DomainEvent } from '../../domain/events.ts';
import { webhookSecretOf } from '../../integrations/telegram/config.ts';
import { createBotWorker, type BotWorker } from '../../operations/bots/bot-worker.ts';
import { acknowledgeButton, sayInChat } from '../../operations/bots/say.ts';
import { isReachableFromOutside } from '../../operations/bots/choose-delivery.ts';
import { changeConnection, createConnection, removeConnection } from '../../operations/connections.ts';
import { runInBackground, type Background } from '../../operations/background.ts';
import { provisionTenant } from '../../operations/provision-tenant.ts';
import { type StartedBotApi, startBotApi } from '../helpers/bot-api.ts';
import { openShop, type Shop, until } from '../helpers/shop.ts';

// Bots as they come and go: their updates by polling and by webhook, against a far end that speaks the Bot API.

let shop: Shop;
let far: StartedBotApi;
let pass: Background | null = null;
let worker: BotWorker | null = null;
const times = { leaseMs: 2_000, renewEveryMs: 100, pollMs: 5_000 };
const ana = { id: 123_456_789, first_name: 'Ana', language_code: 'ru' };

beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());
beforeEach(async () => {
  far = await startBotApi();
});
afterEach(async () => {
  await stopWorker();
  await far.stop();
});

function startWorker(deps = shop.deps): void {
  worker = createBotWorker(deps, times);
  pass = runInBackground('bots', 50, worker.pass, deps.log);
}
async function stopWorker(): Promise<void> {
  await Promise.all([pass?.stop(), worker?.stop()]);
  pass = worker = null;
}

let counter = 0;
/** A store with a bot of its own. */
async function aBot(updates: 'polling' | 'webhook' = 'polling', token = `${987_000_000 + ++counter}:an-invented-token-of-35-characters_`) {
  const { tenantId } = await provisionTenant(shop.deps, { slug: `bots-${randomUUID()}`, name: 'Store', timeScale: 1, synthetic: true, settings: {} });
  const config = { token, updates, baseUrl: far.url };
  const made = await createConnection(shop.deps, tenantId, { integration: 'telegram', name: 'Bot', config, secrets: [] }, 'a test');
  if (made.kind !== 'created') throw new Error(JSON.stringify(made));
  const { id } = made.connection;
  const rows = () =>
    shop.deps.db.withTenant(tenantId, (tx) => tx.select().from(inbox).where(eq(inbox.connectionId, id)).orderBy(inbox.receivedAt, inbox.id));
  return {
    tenantId,
    id,
    token,
    rows,
    turns: async () =>
      (await rows()).flatMap(({ events }) =>
        events.filter((e): e is Extract<DomainEvent, { type: 'message.received' }> => e.type === 'message.received'),
      ),
    state: async () => (await shop.deps.db.withTenant(tenantId, (tx) => tx.select().from(bots).where(eq(bots.connectionId, id))))[0],
    connection: async () => (await shop.deps.db.withTenant(tenantId, (tx) => tx.select().from(connections).where(eq(connections.id, id))))[0],
    running: () =>
      until(
        'the bot',
        async () =>
          (
            await shop.deps.db.withTenant(tenantId, (tx) =>
              tx
                .select()
                .from(bots)
                .where(and(eq(bots.connectionId, id), eq(bots.running, true))),
            )
          ).length > 0,
      ),
    leads: () =>
      shop.deps.db.withTenant(tenantId, (tx) =>
        tx.select({ lead: subjects, contact: contacts }).from(subjects).innerJoin(contacts, eq(contacts.id, subjects.contactId)),
      ),
    /** Again where the machine was too busy, as Telegram does. */
    deliver: async (update: object) => {
      for (let attempt = 1; ; attempt += 1) {
        const answer = await shop.app.inject({
          method: 'POST',
          url: `/api/webhooks/telegram/${id}`,
          headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': webhookSecretOf({ token }) },
          payload: JSON.stringify(update),
        });
        if (answer.statusCode !== 503 || attempt === 10) return answer;
      }
    },
  };
}

describe('by polling', () => {
  test('a bot starts when its token is stored; whoever writes is a lead with their chat, name and language', async () => {
    startWorker();
    const bot = await aBot();
    await bot.running();
    far.api.says(bot.token, ana, 'how much is it?');
    const [found] = await until('the lead', async () => {
      const leads = await bot.leads();
      return leads.length > 0 && leads;
    });
    expect(found).toMatchObject({
      lead: { kind: 'lead', state: 'open', details: { source: 'TELEGRAM' }, ghostReminderSent: false, viewingScheduledAt: null },
      contact: { firstName: 'Ana', locale: 'ru' },
    });
    expect(found?.lead.lastInteractionAt).toBeGreaterThan(Date.now() - 60_000);
    expect((await bot.turns())[0]?.chat).toMatchObject({ late: false, updateId: 700_000_001 });
    far.api.says(bot.token, ana, 'and that one?');
    await until('the second turn', async () => (await bot.turns()).length === 2);
    await until('it being applied', async () => (await bot.rows()).every(({ state }) => state === 'applied'));
    expect(await bot.leads()).toHaveLength(1);
  });

  test('what piled up before the start is stored, stops and opts out, and is late', async () => {
    const bot = await aBot();
    far.api.says(bot.token, ana, 'hello?', Date.now() - 60_000);
    far.api.presses(bot.token, ana, 'more');
    far.api.says(bot.token, ana, 'STOP', Date.now() - 30_000);
    startWorker();
    await until('all of it', async () => (await bot.rows()).filter(({ state }) => state === 'applied').length === 3);
    expect((await bot.turns()).map(({ chat }) => chat?.late)).toEqual([true, true, true]);
    const closed = await shop.deps.db.withTenant(bot.tenantId, (tx) => tx.select().from(suppressions));
    expect(closed.map(({ reason }) => reason)).toContain('opted_out');
    far.api.says(bot.token, { ...ana, id: 5 }, 'and now?');
    await until('the next', async () => (await bot.turns()).length === 4);
    expect((await bot.turns()).at(-1)?.chat?.late).toBe(false);
  });

  test('a process that dies between storing and applying loses and doubles nothing', async () => {
    let dies = true;
    const bot = await aBot();
    const checkpoints = async (at: string) => {
      if (at === 'bot.stored' && dies) throw new Error('the process died');
    };
    for (let n = 0; n < 150; n++) far.api.says(bot.token, { ...ana, id: 1_000 + (n % 7) }, `message ${n}`);
    startWorker({ ...shop.deps, checkpoints });
    await until('some being stored', async () => (await bot.rows()).length >= 100);
    await stopWorker();
    dies = false;
    startWorker();
    await until('all', async () => (await bot.rows()).length === 150);
    const keys = (await bot.rows()).map(({ dedupeKey }) => dedupeKey);
    expect(new Set(keys).size).toBe(150);
  });

  test('of two processes one keeps it, and the other takes over from where it was', async () => {
    const bot = await aBot();
    startWorker();
    await bot.running();
    const second = createBotWorker(shop.deps, times);
    const passes = runInBackground('bots', 50, second.pass, shop.deps.log);
    for (let n = 0; n < 5; n++) far.api.says(bot.token, ana, `message ${n}`);
    await until('five', async () => (await bot.turns()).length === 5);
    const conflicts = () => far.api.calls.filter(({ method }) => method === 'deleteWebhook').length;
    const before = conflicts();
    await stopWorker();
    far.api.says(bot.token, ana, 'message 5');
    await until('the sixth', async () => (await bot.turns()).length === 6);
    // It goes on: nobody had to start it, and what was said meanwhile is answered.
    expect(conflicts()).toBe(before);
    expect((await bot.turns()).at(-1)?.chat?.late).toBe(false);
    await Promise.all([passes.stop(), second.stop()]);
  });

  test('it stops when its connection is disconnected, keeps what comes meanwhile, and starts with a new token', async () => {
    startWorker();
    const bot = await aBot();
    await bot.running();
    await changeConnection(shop.deps, bot.tenantId, bot.id, { state: 'disconnected' }, 'a test');
    await until('its end', async () => (await bot.state())?.running === false);
    far.api.says(bot.token, ana, 'anybody there?');
    expect(await bot.rows()).toEqual([]);
    await new Promise((done) => setTimeout(done, 1_100));
    await changeConnection(shop.deps, bot.tenantId, bot.id, { state: 'connected' }, 'a test');
    await until('what was said', async () => (await bot.turns()).length === 1);
    expect((await bot.turns())[0]?.chat?.late).toBe(true);
    const next = `${555_000_000}:another-invented-token-of-35-charact`;
    await changeConnection(shop.deps, bot.tenantId, bot.id, { config: { token: next, updates: 'polling', baseUrl: far.url } }, 'a test');
    await until('the other bot', async () => (await bot.state())?.account === 'telegram:555000000');
    far.api.says(next, { ...ana, id: 77 }, 'hello');
    await until('its update', async () => (await bot.turns()).length === 2);
  });

  test('a token that is refused is said at the connection, and another one ends that', async () => {
    const bot = await aBot();
    far.api.revoked.add(bot.token);
    startWorker();
    const faulty = await until('the fault', async () => (await bot.connection())?.fault);
    expect(faulty).toMatch(/401: Unauthorized\. The token is refused: enter the one that BotFather shows now\./);
    expect(faulty).not.toContain(bot.token);
    far.api.revoked.clear();
    await changeConnection(shop.deps, bot.tenantId, bot.id, { config: { token: bot.token, updates: 'polling', baseUrl: far.url } }, 'a test');
    await bot.running();
    expect((await bot.connection())?.fault).toBeNull();
  });

  test('a provider that is away is asked again, and nothing is lost', async () => {
    const bot = await aBot();
    startWorker();
    await bot.running();
    let away = 2;
    far.api.intercept = ({ method }) => (method === 'getUpdates' && away-- > 0 ? { status: 502, body: {} } : null);
    far.api.says(bot.token, ana, 'one');
    far.api.says(bot.token, ana, 'two');
    await until('both', async () => (await bot.turns()).length === 2);
    expect((await bot.connection())?.fault).toBeNull();
  });
});

describe('by webhook', () => {
  test('Telegram is told where to deliver when the token is stored, and told to stop when the connection is removed', async () => {
    startWorker();
    const bot = await aBot('webhook');
    await bot.running();
    expect(far.api.bot(bot.token).webhook).toEqual({
      url: `http://rekindle.example.com/api/webhooks/telegram/${bot.id}`,
      secret: webhookSecretOf(bot),
    });
    await removeConnection(shop.deps, bot.tenantId, bot.id, 'a test');
    await until('its end', () => far.api.bot(bot.token).webhook === null);
  });

  test('an update with the secret is taken, once; another is refused', async () => {
    startWorker();
    const bot = await aBot('webhook');
    await bot.running();
    const from = { id: ana.id, is_bot: false, first_name: 'Ana' };
    const update = {
      update_id: 9,
      message: { message_id: 1, from, chat: { id: ana.id, type: 'private' }, date: Math.ceil(Date.now() / 1_000), text: 'hello' },
    };
    expect((await bot.deliver(update)).json()).toEqual({ status: 'applied' });
    expect((await bot.deliver(update)).json()).toEqual({ status: 'repeated' });
    expect((await bot.turns()).map(({ chat }) => chat?.late)).toEqual([false]);
    const forged = await shop.app.inject({
      method: 'POST',
      url: `/api/webhooks/telegram/${bot.id}`,
      headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': 'x' },
      payload: '{}',
    });
    expect(forged.statusCode).toBe(401);
    // What was written a minute before the bot started is late, though it is delivered only now.
    await bot.deliver({ ...update, update_id: 10, message: { ...update.message, date: update.message.date - 60 } });
    expect((await bot.turns()).map(({ chat }) => chat?.late)).toEqual([false, true]);
  });
});

describe('people', () => {
  const update = (id: number, updateId: number, more: object) => ({
    update_id: updateId,
    message: {
      message_id: 1,
      from: { id, is_bot: false, first_name: 'Ana', language_code: 'fa' },
      chat: { id, type: 'private' },
      date: Math.floor(Date.now() / 1_000),
      ...more,
    },
  });

  test('with the same chat in two stores are apart', async () => {
    const [one, two] = [await aBot('webhook'), await aBot('webhook')];
    await one.deliver(update(42, 1, { text: 'hello' }));
    await two.deliver(update(42, 1, { text: 'STOP' }));
    expect(await one.leads()).toHaveLength(1);
    const closedAt = (tenantId: string) => shop.deps.db.withTenant(tenantId, (tx) => tx.select().from(suppressions));
    expect(await closedAt(one.tenantId)).toEqual([]);
    expect(await closedAt(two.tenantId)).not.toEqual([]);
  });

  test('who share their own number are known by it; somebody else’s number says nothing of them', async () => {
    const bot = await aBot('webhook');
    const contact = { phone_number: '12025550143', first_name: 'Ana', user_id: 42 };
    await bot.deliver(update(42, 1, { contact: { ...contact, user_id: 43 } }));
    const identities = () => shop.deps.db.withTenant(bot.tenantId, (tx) => tx.select().from(contactIdentities));
    expect((await identities()).map(({ kind, value }) => `${kind} ${value}`)).toEqual(['telegram 42']);
    await bot.deliver(update(42, 2, { contact }));
    expect((await identities()).map(({ kind, value }) => `${kind} ${value}`).sort()).toEqual(['phone +12025550143', 'telegram 42']);
  });

  test('who write "later", or STOP before anything else, make no lead twice and none at all', async () => {
    const bot = await aBot('webhook');
    await bot.deliver(update(42, 1, { text: 'tomorrow please' }));
    await bot.deliver(update(42, 2, { text: 'hello' }));
    await bot.deliver(update(43, 3, { text: '/stop' }));
    expect(await bot.leads()).toHaveLength(1);
  });
});

describe('an answer in a conversation', () => {
  test('leaves in its turn: one a second in a chat, and not before Telegram takes messages again', async () => {
    const bot = await aBot('webhook');
    far.api.says(bot.token, ana, 'hello');
    const message = { text: 'How can I help?', buttons: [] };
    const say = () => sayInChat(shop.deps, { tenantId: bot.tenantId, connectionId: bot.id }, String(ana.id), message);
    expect(await Promise.all([say(), say()])).toMatchObject([{ kind: 'accepted' }, { kind: 'accepted' }]);
    far.api.intercept = ({ method }) =>
      method === 'sendMessage' ? { status: 429, body: { ok: false, error_code: 429, description: 'x', parameters: { retry_after: 60 } } } : null;
    expect(await say()).toMatchObject({ kind: 'refused', retryAfterMs: 60_000 });
    await acknowledgeButton(shop.deps, { tenantId: bot.tenantId, connectionId: bot.id }, '438');
    expect(far.api.calls.at(-1)).toMatchObject({ method: 'answerCallbackQuery' });
  });
});

describe('a store', () => {
  test('has one bot at a time', async () => {
    const bot = await aBot();
    const config = { token: '111111111:one-more-invented-token-of-35-chars_', baseUrl: far.url };
    const another = () => createConnection(shop.deps, bot.tenantId, { integration: 'telegram', name: 'Bot', config, secrets: [] }, 'a test');
    expect(await another()).toMatchObject({ kind: 'invalid', faults: [{ path: 'integration' }] });
    await removeConnection(shop.deps, bot.tenantId, bot.id, 'a test');
    expect(await another()).toMatchObject({ kind: 'created' });
  });
});

test.each([
  ['https://rekindle.shop.com', true],
  ['https://rekindle.shop.com:8443', true],
  ['https://203.0.113.9', true],
  ['http://rekindle.shop.com', false],
  ['https://rekindle.shop.com:3000', false],
  ['https://localhost', false],
  ['https://192.168.1.4', false],
  ['https://[::1]', false],
  ['https://box.local', false],
  ['https://intranet', false],
])('Telegram can deliver to %s: %s', (url, reachable) => {
  expect(isReachableFromOutside(url)).toBe(reachable);
});
