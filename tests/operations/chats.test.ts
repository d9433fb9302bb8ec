import { randomUUID } from 'node:crypto';
import { and, asc, eq } from 'drizzle-orm';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFailed, test } from 'vitest';
import { chats, chatUpdates, contactIdentities, contacts, subjects, tasks } from '../../db/schema/index.ts';
import { type BotWorker, createBotWorker } from '../../operations/bots/bot-worker.ts';
import { runInBackground, type Background } from '../../operations/background.ts';
import { erasePerson } from '../../operations/erase-person.ts';
import { firstKey, issueKey } from '../../operations/api-keys.ts';
import { createAdminCode } from '../../operations/chat/admin-codes.ts';
import { type ChatWorker, createChatWorker } from '../../operations/chat/chat-worker.ts';
import { createConnection } from '../../operations/connections.ts';
import type { Deps } from '../../operations/deps.ts';
import { storeFacts } from '../../operations/facts.ts';
import { createInboxWorker } from '../../operations/inbox-worker.ts';
import { provisionTenant } from '../../operations/provision-tenant.ts';
import { changeSettings } from '../../operations/settings.ts';
import type { SendOutcome } from '../../integrations/port.ts';
import type { Said } from '../../local/phone/bot-api.ts';
import { type StartedBotApi, startBotApi } from '../helpers/bot-api.ts';
import { openShop, type Shop, until } from '../helpers/shop.ts';

// Conversations on real Postgres, against a far end that speaks the Bot API.

let shop: Shop;
let far: StartedBotApi;
let botWorker: BotWorker;
let chatWorker: ChatWorker;
let jobs: Background[] = [];
// Long enough that a busy machine renews it in time.
const times = { leaseMs: 15_000, renewEveryMs: 100, pollMs: 5_000 };

beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());
beforeEach(async () => {
  far = await startBotApi();
  start();
});
afterEach(async () => {
  await stop();
  await far.stop();
});

function start(deps: Deps = shop.deps): void {
  botWorker = createBotWorker(shop.deps, times);
  chatWorker = createChatWorker(deps);
  const inbox = createInboxWorker(shop.deps);
  jobs = [
    runInBackground('bots', 30, botWorker.pass, shop.deps.log),
    runInBackground('chats', 30, chatWorker.pass, shop.deps.log),
    runInBackground('inbox', 50, inbox.pass, shop.deps.log),
  ];
}
async function stop(): Promise<void> {
  await Promise.all([botWorker.stop(), ...jobs.map((job) => job.stop())]);
  await chatWorker.stop();
}

const list = (left: string) =>
  ['id,title,area,price,currency,units_left,observed_at,expires_at', `tower-2,Lakeside Tower,Lakeside,415000,EUR,${left},2020-01-01,2099-01-01`].join(
    '\n',
  );

let counter = 0;
/** A store with a bot that runs, and a list of properties. */
async function aStoreWithBot(csv: string | null = list('3')) {
  const settings = { storeName: 'Aurora Homes', timeZone: 'Asia/Dubai', country: 'AT' };
  const { tenantId } = await provisionTenant(shop.deps, { slug: `chats-${randomUUID()}`, name: 'Store', timeScale: 1, synthetic: true, settings });
  const token = `${555_000_000 + ++counter}:an-invented-token-of-35-characters_`;
  const connect = async (integration: string, config: object) => {
    const made = await createConnection(shop.deps, tenantId, { integration, name: integration, config, secrets: [] }, 'a test');
    if (made.kind !== 'created') throw new Error(JSON.stringify(made));
    return made.connection.id;
  };
  const connectionId = await connect('telegram', { token, updates: 'polling', baseUrl: far.url });
  if (csv !== null) await connect('recommendations-csv', { csv });
  const inTenant = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(tenantId, work);
  await until('the bot', () => far.api.calls.some(({ token: of, method }) => of === token && method === 'getUpdates'));
  return {
    tenantId,
    connectionId,
    token,
    connect,
    inTenant,
    chat: async (id: number) =>
      (
        await inTenant((tx) =>
          tx
            .select()
            .from(chats)
            .where(and(eq(chats.connectionId, connectionId), eq(chats.chatId, String(id)))),
        )
      )[0],
    updates: () => inTenant((tx) => tx.select().from(chatUpdates).orderBy(asc(chatUpdates.updateId))),
    tasks: () => inTenant((tx) => tx.select().from(tasks).orderBy(asc(tasks.id))),
  };
}
type Store = Awaited<ReturnType<typeof aStoreWithBot>>;

const bare = (text: string) => text.replace(/[\u200f\u2068\u2069]/g, '');

/** Somebody with a chat. */
class Person {
  readonly user;
  readonly #store: Store;
  #seen = 0;
  constructor(store: Store, user: { id: number; first_name: string; language_code?: string }) {
    this.user = user;
    this.#store = store;
  }
  get said(): Said[] {
    return far.api.bot(this.#store.token).chats.get(this.user.id)?.said ?? [];
  }
  heard = () => this.said.filter(({ by }) => by === 'bot');
  /** What the bot answers to this, `messages` of them. */
  async #answered(act: () => void, messages: number): Promise<string[]> {
    const before = this.heard().length;
    act();
    await until(`${messages} answers`, () => this.heard().length >= before + messages);
    this.#seen = this.heard().length;
    return this.heard()
      .slice(before)
      .map(({ text }) => bare(text));
  }
  says = (text: string, messages = 1) => this.#answered(() => far.api.says(this.#store.token, this.user, text), messages);
  presses = (value: string, messages = 1) => this.#answered(() => far.api.presses(this.#store.token, this.user, value), messages);
  shares = (phone: string, messages = 2) => this.#answered(() => far.api.shares(this.#store.token, this.user, phone), messages);
  get seen(): number {
    return this.#seen;
  }
}

const mara = { id: 4_711, first_name: 'Mara', language_code: 'en' };
const boss = { id: 8_150, first_name: 'Ben', language_code: 'en' };

test('S4-11: the admin registers with a one-time code, a lead gives the number, and the admin gets the alert with the four fields', async () => {
  const store = await aStoreWithBot();
  const admin = new Person(store, boss);
  const { code } = await createAdminCode(shop.deps, store.tenantId, 'a test');
  for (const wrong of ['WRONG', 'AGAIN']) expect(await admin.says(`/set_admin ${wrong}`)).toEqual([expect.stringContaining('not valid')]);
  expect(await admin.says(`/set_admin ${code}`)).toEqual(['From now on this chat gets the alerts about hot leads.']);

  const lead = new Person(store, mara);
  expect(await lead.says('/start', 2)).toEqual(['Hello Mara, welcome to Aurora Homes.', expect.stringContaining('What are you looking for?')]);
  await lead.presses('goal:invest');
  expect(lead.heard().at(-1)?.asksContact).toBe(true);
  expect(await lead.shares('436641234567')).toEqual(['Thank you, Mara. We have your number.', 'Shall I show you what fits?']);
  await until('the alert', () => admin.heard().length === 4);
  const [title, ...fields] = bare(admin.heard().at(-1)?.text ?? '').split('\n');
  expect(title).toBe('🔥 Hot lead');
  expect(fields).toEqual(['Name: Mara', 'Phone: +436641234567', 'Goal: Invest', expect.stringMatching(/^Time: \w{3} \d/)]);
  expect(
    await until('the end of the task', async () => {
      const done = (await store.tasks()).filter(({ state }) => state === 'done');
      return done.length > 0 && done;
    }),
  ).toMatchObject([{ kind: 'hot_lead', result: 'told in the admin chat' }]);
  // One alert for each lead, whatever number comes after.
  await lead.says('+43 664 7654321', 2);
  expect(admin.heard().length).toBe(4);
});

test('S4-11: with matches the list is followed by the scarcity line, and the counters rise', async () => {
  const store = await aStoreWithBot();
  const lead = new Person(store, { ...mara, language_code: 'fa' });
  await lead.says('/start', 2);
  await lead.says('Lakeside');
  await lead.shares('436641234567');
  const [text] = await lead.presses('show_properties');
  expect(text).toContain('Lakeside Tower (Lakeside)');
  expect(text?.split('\n\n').at(-1)).toBe('⚠️ تنها ۳ واحد با این قیمت باقی مانده است.');
  expect(
    lead
      .heard()
      .at(-1)
      ?.buttons.flat()
      .map(({ callback_data }) => callback_data),
  ).toEqual(['interested_property', 'show_more_properties']);
  expect(await store.chat(mara.id)).toMatchObject({ phase: 'ENGAGEMENT', urgencyScore: 1, fomoMessagesSent: 1, language: 'fa', shown: ['tower-2'] });
});

test('S4-11: without matches the hot-market text follows where a fact says so, and the urgency rises by two', async () => {
  const store = await aStoreWithBot(list('0'));
  const news = { trigger: 'new_sales_nearby', statement: 'Three homes in Lakeside were sold in November.', date: '2026-11-20' };
  const fact = { kind: 'market' as const, subject: 'Lakeside', value: news, source: null, observedAtMs: null, expiresAtMs: null };
  expect((await storeFacts(shop.deps, store.tenantId, [fact])).kind).toBe('stored');
  const lead = new Person(store, { ...mara, language_code: 'ru' });
  await lead.says('/start', 2);
  await lead.presses('goal:buy');
  await lead.says('Не сейчас', 2);
  expect(await lead.presses('show_properties')).toEqual(['⚠️ Спрос очень высокий, жильё уходит быстро. Запишитесь на консультацию.']);
  expect(
    lead
      .heard()
      .at(-1)
      ?.buttons.flat()
      .map(({ callback_data }) => callback_data),
  ).toEqual(['schedule_consultation', 'ask_questions']);
  expect(await store.chat(mara.id)).toMatchObject({ phase: 'ENGAGEMENT', urgencyScore: 2, fomoMessagesSent: 0 });
  await lead.presses('schedule_consultation');
  expect(await store.tasks()).toMatchObject([{ kind: 'consultation', state: 'open' }]);
});

describe('an alert', () => {
  test('waits as a task where there is no admin, and follows once there is one', async () => {
    const store = await aStoreWithBot();
    const lead = new Person(store, mara);
    await lead.says('/start', 2);
    await lead.shares('436641234567');
    expect(await store.tasks()).toMatchObject([{ kind: 'hot_lead', state: 'open', data: { name: 'Mara', phone: '+436641234567', goal: null } }]);
    const admin = new Person(store, boss);
    const { code } = await createAdminCode(shop.deps, store.tenantId, 'a test');
    const heard = await admin.says(`/set_admin ${code}`, 2);
    expect(heard[0]).toContain('1 alert was waiting and follows now.');
    expect(heard[1]).toContain('Goal: not stated');
  });

  test('that its bot cannot hand over yet holds up no pass over the chats', async () => {
    const store = await aStoreWithBot();
    const lead = new Person(store, mara);
    await lead.says('/start', 2);
    await lead.shares('436641234567');
    await stop();
    await changeSettings(shop.deps, store.tenantId, { changes: { adminChatId: String(boss.id) }, expectedVersion: null, by: 'a test' });
    const known = shop.deps.integrations['telegram'];
    if (known?.bot === undefined) throw new Error('there is no bot');
    const { bot } = known;
    let isAsked = false;
    let answer: (outcome: SendOutcome) => void = () => undefined;
    const outcome = new Promise<SendOutcome>((resolve) => (answer = resolve));
    const reply = () => {
      isAsked = true;
      return outcome;
    };
    const slow = { ...known, bot: (config: unknown) => ({ ...bot(config), reply }) };
    const worker = createChatWorker({ ...shop.deps, integrations: { ...shop.deps.integrations, telegram: slow } });
    await worker.pass();
    await until('the alert', () => isAsked);
    expect(await store.tasks()).toMatchObject([{ kind: 'hot_lead', state: 'open' }]);
    answer({ kind: 'accepted', providerMessageId: '1', response: 'HTTP 200' });
    await worker.stop();
    expect(await store.tasks()).toMatchObject([{ kind: 'hot_lead', state: 'done' }]);
    start();
  });
});

describe('an answer', () => {
  test('is given at most once: a process that dies after it was stored leaves it unsent', async () => {
    const store = await aStoreWithBot();
    await stop();
    const dead = new Promise<never>(() => {});
    let claimed = 0;
    start({ ...shop.deps, checkpoints: (at) => (at === 'chat.claimed' ? (claimed++, dead) : shop.deps.checkpoints(at)) });
    const lead = new Person(store, mara);
    far.api.says(store.token, mara, '/start');
    await until('the claim', () => claimed === 1);
    // The process is gone, and another goes on.
    await Promise.all([botWorker.stop(), ...jobs.map((job) => job.stop())]);
    start();
    expect(await lead.says('hello')).toEqual([expect.stringContaining('phone number')]);
    await until('the end of the second', async () => (await store.updates()).map(({ state }) => state).join(' ') === 'claimed answered');
    expect(lead.heard().length).toBe(1);
  });

  test('is given once where two processes see the update', async () => {
    const store = await aStoreWithBot();
    const other = createChatWorker(shop.deps);
    const rival = runInBackground('chats', 5, other.pass, shop.deps.log);
    const people = Array.from({ length: 8 }, (_, n) => new Person(store, { id: 100 + n, first_name: 'P', language_code: 'en' }));
    await Promise.all(people.map((person) => person.says('/start', 2)));
    await Promise.all(people.map((person) => person.presses('goal:buy')));
    await rival.stop();
    await other.stop();
    expect(people.map((person) => person.heard().length)).toEqual(people.map(() => 3));
  });

  test('does not wait while the bot’s rate is taken for minutes', async () => {
    const store = await aStoreWithBot();
    const lead = new Person(store, mara);
    await lead.says('/start', 2);
    await store.inTenant((tx) => tx.execute(`update send_rates set free_at = clock_timestamp() + interval '5 minutes'`));
    const begun = performance.now();
    await lead.presses('goal:buy');
    // A second on a machine that has nothing else to do (docs/telegram.md); far from minutes on any.
    expect(performance.now() - begun).toBeLessThan(20_000);
  });

  test('holds up its own chat where it cannot be given, and in the end gives way to the next', async () => {
    const store = await aStoreWithBot();
    const [lead, other] = [new Person(store, mara), new Person(store, boss)];
    await Promise.all([lead.says('/start', 2), other.says('/start', 2)]);
    const owner = new pg.Client({ connectionString: shop.database.url });
    await owner.connect();
    await owner.query(`alter table chats add constraint no_cursed_goal check (goal <> 'cursed')`);
    try {
      far.api.says(store.token, mara, 'cursed');
      await until('a failure', async () => (await store.updates()).some(({ attempts }) => attempts > 0));
      // Others are answered meanwhile.
      await other.says('a flat');
      await owner.query(`update chat_updates set attempts = 7, next_at = clock_timestamp() where state = 'waiting'`);
      expect(await lead.says('a house')).toEqual([expect.stringContaining('phone number')]);
      expect((await store.updates()).find(({ attempts }) => attempts > 0)).toMatchObject({
        state: 'silent',
        lastError: expect.stringContaining('23514'),
      });
    } finally {
      await owner.query('alter table chats drop constraint no_cursed_goal');
      await owner.end();
    }
  });

  test('goes to nobody who has blocked the bot, until they come back', async () => {
    const store = await aStoreWithBot();
    const lead = new Person(store, mara);
    await lead.says('/start', 2);
    far.api.blocks(store.token, mara);
    await until('the block', async () => (await store.chat(mara.id))?.blockedBy !== null);
    far.api.blocks(store.token, mara, false);
    await until('the end of the block', async () => (await store.chat(mara.id))?.blockedBy === null);
    expect(lead.heard().length).toBe(2);
    expect(await lead.says('a flat')).toEqual([expect.stringContaining('phone number')]);
  });
});

describe('a number that is written', () => {
  test('becomes the person’s, and a language that is chosen too', async () => {
    const store = await aStoreWithBot();
    const lead = new Person(store, mara);
    await lead.says('/start', 2);
    await lead.presses('language:ar');
    await lead.says('0664 1234567', 2);
    const known = await until('the number', async () => {
      const rows = await store.inTenant((tx) =>
        tx
          .select({ contact: contacts, identity: contactIdentities })
          .from(contactIdentities)
          .innerJoin(contacts, eq(contacts.id, contactIdentities.contactId)),
      );
      return rows.some(({ identity, contact }) => identity.kind === 'phone' && contact.locale === 'ar') && rows;
    });
    expect(known.map(({ identity }) => `${identity.kind} ${identity.value}`).sort()).toEqual(['phone +436641234567', `telegram ${mara.id}`]);
    expect(new Set(known.map(({ contact }) => contact.id)).size).toBe(1);
  });
});

test('an erasure takes the chat, what was said in it and the tasks’ data along', async () => {
  const store = await aStoreWithBot();
  const lead = new Person(store, mara);
  await lead.says('/start', 2);
  await lead.says('a flat for Mara');
  await lead.shares('436641234567');
  const [contact] = await store.inTenant((tx) => tx.select({ id: contacts.id }).from(contacts));
  expect(await store.inTenant((tx) => tx.select().from(chats))).toHaveLength(1);
  const whom = { tenantId: store.tenantId, contactId: contact?.id ?? '', actor: 'a test' };
  expect(await erasePerson(shop.deps, whom)).toMatchObject({ kind: 'erased' });
  for (const table of [chats, chatUpdates]) expect(await store.inTenant((tx) => tx.select().from(table))).toEqual([]);
  expect(await store.tasks()).toMatchObject([{ kind: 'hot_lead', data: {} }]);
});

describe('a link of a lead’s own', () => {
  const ask = (store: Store, apiKey: string, path: string, method: 'GET' | 'POST' = 'GET') =>
    shop.app
      .inject({ method, url: path, headers: { authorization: `Bearer ${apiKey}` } })
      .then((answer) => ({ status: answer.statusCode, body: answer.json<Record<string, unknown>>() }));

  test('joins the chat to the lead, once for each chat, and to nobody of another store', async () => {
    const store = await aStoreWithBot();
    const { apiKey } = await issueKey(shop.deps, store.tenantId, firstKey, 'a test');
    const crm = await store.connect('generic', {});
    const person = { firstName: 'Lena', email: 'lena@example.com', phone: '+436649876543', locale: 'ru' };
    const answer = await shop.app.inject({
      method: 'POST',
      url: '/api/leads',
      headers: { authorization: `Bearer ${apiKey}` },
      payload: { ...person, externalId: 'crm-1', interest: 'a flat in Lakeside' },
    });
    expect(answer.statusCode, answer.body).toBe(201);
    expect(crm).not.toBe('');
    const { id } = answer.json<{ lead: { id: string } }>().lead;
    const link = await ask(store, apiKey, `/api/leads/${id}/telegram-link`, 'POST');
    expect(link).toMatchObject({ status: 201, body: { url: expect.stringMatching(/^https:\/\/t\.me\/\w+\?start=[\w-]{48}$/) } });
    const token = new URL(String(link.body['url'])).searchParams.get('start') ?? '';
    expect(token.length).toBeLessThanOrEqual(64);

    const lead = new Person(store, { id: 77, first_name: 'L', language_code: 'de' });
    expect(await lead.says(`/start ${token}`, 2)).toEqual(['Рады вас видеть, Lena! Это Aurora Homes.', expect.stringContaining('Что вы ищете?')]);
    const detail = await ask(store, apiKey, `/api/leads/${id}`);
    expect(detail.body).toMatchObject({
      email: 'lena@example.com',
      chat: { telegram_chat_id: '77', status: detail.body['status'], phase: 'VALUE_PROPOSITION', language: 'ru', phone: '+436649876543' },
    });
    const statusWith = async (viewingScheduledAt: number | null) => {
      await store.inTenant((tx) => tx.update(subjects).set({ viewingScheduledAt }).where(eq(subjects.id, id)));
      return (await ask(store, apiKey, `/api/leads/${id}`)).body['chat'];
    };
    expect(await statusWith(Date.now())).toMatchObject({ status: 'VIEWING_SCHEDULED' });
    expect(await statusWith(null)).toMatchObject({ status: detail.body['status'] });
    const leads = await store.inTenant((tx) => tx.select({ id: subjects.id }).from(subjects).where(eq(subjects.kind, 'lead')));
    expect(leads).toEqual([{ id }]);

    const stranger = await aStoreWithBot();
    const other = new Person(stranger, { id: 78, first_name: 'Olga', language_code: 'ru' });
    expect((await other.says(`/start ${token}`, 2))[0]).toBe('Здравствуйте, Olga! Вас приветствует Aurora Homes.');
    const forged = new Person(store, { id: 79, first_name: 'Max', language_code: 'en' });
    expect((await forged.says(`/start ${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`, 2))[0]).toBe('Hello Max, welcome to Aurora Homes.');
  });

  test('is not made where the lead is anonymous, or the store has no bot', async () => {
    const store = await aStoreWithBot();
    const { apiKey } = await issueKey(shop.deps, store.tenantId, firstKey, 'a test');
    await new Person(store, mara).says('/start', 2);
    const [row] = await store.inTenant((tx) => tx.select({ id: subjects.id }).from(subjects));
    expect(await ask(store, apiKey, `/api/leads/${row?.id}/telegram-link`, 'POST')).toMatchObject({ status: 409, body: { code: 'anonymous_lead' } });
    expect((await ask(store, apiKey, `/api/leads/${randomUUID()}/telegram-link`, 'POST')).status).toBe(404);
  });
});

test('random chats of many people, with processes that end and begin: every update is settled, answered once, and alerted once', async () => {
  const store = await aStoreWithBot();
  const people = Array.from(
    { length: 6 },
    (_, n) => new Person(store, { id: 200 + n, first_name: 'P', language_code: ['en', 'fa', 'ar', 'ru', 'de', ''][n] ?? '' }),
  );
  const words = ['/start', 'hello', 'STOP', '/language', '0664 1234567', 'Not now', '/set_admin x', '12345', 'خانه'];
  const values = [
    'goal:buy',
    'show_properties',
    'show_more_properties',
    'interested_property',
    'schedule_consultation',
    'ask_questions',
    'language:ar',
    'x',
  ];
  const seed = Number(process.env['CHAT_SEED'] ?? Date.now() % 1_000_000);
  onTestFailed(() => console.error(`CHAT_SEED=${seed} repeats it`));
  const act = fc.record({ who: fc.nat(5), act: fc.nat(9), word: fc.nat(words.length - 1), value: fc.nat(values.length - 1) });
  const acts = fc.sample(act, { seed, numRuns: Number(process.env['CHAT_ACTS'] ?? 80) });
  for (const [index, { who, act, word, value }] of acts.entries()) {
    const person = people[who];
    if (person === undefined) continue;
    if (act < 4) far.api.says(store.token, person.user, words[word] ?? '');
    else if (act < 7) far.api.presses(store.token, person.user, values[value] ?? '');
    else if (act < 8) far.api.shares(store.token, person.user, '436641234567', word % 2 === 0 ? 1 : person.user.id);
    else far.api.blocks(store.token, person.user, act === 8);
    if (index % 20 === 19) {
      await Promise.all(jobs.filter((_, job) => job === 1).map((job) => job.stop()));
      await chatWorker.stop();
      chatWorker = createChatWorker(shop.deps);
      jobs[1] = runInBackground('chats', 30, chatWorker.pass, shop.deps.log);
    }
  }
  // Blocks change nothing where there was none before, so not every act is an update.
  await until('the end', async () => {
    const rows = await store.updates();
    return (
      rows.length > acts.length / 2 &&
      rows.every(({ state }) => state === 'answered' || state === 'silent') &&
      far.api.bot(store.token).updates.length === 0
    );
  });
  const rows = await store.updates();
  for (const { user } of people) {
    const own = rows.filter(({ chatId }) => chatId === String(user.id));
    const handed = far.api.calls.filter(
      ({ method, token, body }) => token === store.token && method === 'sendMessage' && body['chat_id'] === user.id,
    );
    expect(handed.length).toBe(own.reduce((sum, { sent }) => sum + (sent?.length ?? 0), 0));
    const state = await store.chat(user.id);
    if (state === undefined) continue;
    expect(state.urgencyScore).toBeLessThanOrEqual(10);
    const { blockedBy } = state;
    if (blockedBy !== null) expect(own.filter(({ updateId, state: became }) => updateId >= blockedBy && became === 'answered')).toEqual([]);
  }
  const alerts = (await store.tasks()).filter(({ kind }) => kind === 'hot_lead').map(({ data }) => data['chatId']);
  expect(new Set(alerts).size).toBe(alerts.length);
});
