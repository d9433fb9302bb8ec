import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTelegramBot } from '../../integrations/telegram/bot.ts';
import { telegramConfig, webhookSecretOf } from '../../integrations/telegram/config.ts';
import { telegramReceiver } from '../../integrations/telegram/receive.ts';
import { createTelegramSender, judgeSend } from '../../integrations/telegram/send.ts';
import type { ChatWindow } from '../../integrations/port.ts';
import { posted } from '../helpers/a-delivery.ts';
import { aStore } from '../helpers/a-store.ts';
import { type StartedBotApi, startBotApi } from '../helpers/bot-api.ts';
import { faultsBy, providerSpec } from '../helpers/provider-spec.ts';
import { deadlineIn } from './sender-conformance.ts';
import { aChatMessage, aMember, aMessage, aPress, dateS, token } from './telegram/conformance.ts';

const ana = { id: 123_456_789, first_name: 'Ana', language_code: 'ru' };
const spec = providerSpec('telegram/bot-api.schema.json');
const samples = providerSpec('telegram/samples.json') as {
  responses: Record<string, { error_code: number }>;
  updates: Record<string, object>;
} | null;

let far: StartedBotApi;
beforeEach(async () => {
  far = await startBotApi();
});
afterEach(() => far.stop());
const config = (more: object = {}) => telegramConfig.parse({ token, baseUrl: far.url, ...more });

describe('a message', () => {
  async function send(payload = aChatMessage()) {
    const session = await createTelegramSender(config()).open();
    return session.send(payload, 'a-key', deadlineIn(5_000));
  }
  const sent = () => far.api.calls.at(-1);

  test('goes to the chat as plain text, with its buttons, and its id is kept', async () => {
    far.api.says(token, ana, '/start');
    const buttons = [[{ text: 'Tell me more', value: 'more' }], [{ text: 'Open', url: 'https://r.example/s/abc' }]];
    expect(await send(aChatMessage('Hi *Ana* <3 [you]', buttons))).toEqual({ kind: 'accepted', providerMessageId: '2', response: 'HTTP 200' });
    expect(sent()).toMatchObject({
      token,
      method: 'sendMessage',
      body: {
        chat_id: 123_456_789,
        text: 'Hi *Ana* <3 [you]',
        link_preview_options: { is_disabled: true },
        reply_markup: { inline_keyboard: [[{ text: 'Tell me more', callback_data: 'more' }], [{ text: 'Open', url: 'https://r.example/s/abc' }]] },
      },
    });
    expect(sent()?.body).not.toHaveProperty('parse_mode');
  });

  test('to somebody who has blocked the bot, or never began the chat, closes the address', async () => {
    expect(await send()).toMatchObject({ kind: 'refused', severity: 'hard', response: 'Telegram error 400: Bad Request: chat not found' });
    far.api.says(token, ana, '/start');
    far.api.blocks(token, ana);
    expect(await send()).toMatchObject({ kind: 'refused', severity: 'hard', response: 'Telegram error 403: Forbidden: bot was blocked by the user' });
  });

  test.skipIf(samples === null)('is judged by what Telegram answers', () => {
    const judged = Object.entries(samples?.responses ?? {}).map(([name, body]) => {
      const status = body.error_code ?? 200;
      const outcome = judgeSend({ status, body: JSON.stringify(body), headers: {} });
      return [name, [outcome.kind === 'refused' ? outcome.severity : outcome.kind, outcome.kind === 'refused' && outcome.outage === true]];
    });
    expect(Object.fromEntries(judged)).toEqual({
      ok: ['accepted', false],
      '429': ['soft', true],
      '403blocked': ['hard', false],
      '403deactivated': ['hard', false],
      '403never': ['hard', false],
      '400notfound': ['hard', false],
      '400parse': ['soft', false],
      '400migrated': ['soft', false],
      '401': ['soft', true],
      '409': ['unknown', false],
      queryTooOld: ['soft', false],
    });
    expect(judgeSend({ status: 429, body: JSON.stringify(samples?.responses['429']), headers: {} })).toMatchObject({ retryAfterMs: 14_000 });
    expect(judgeSend({ status: 502, body: '<html>', headers: {} })).toMatchObject({ kind: 'unknown' });
  });

  test('that fails says nothing of the token', async () => {
    await far.stop();
    await expect(createTelegramSender(config()).open()).rejects.not.toThrow(/an-invented-token/);
    await expect(createTelegramBot(config()).check()).rejects.not.toThrow(/an-invented-token/);
    far = await startBotApi();
  });
});

describe('the bot', () => {
  const bot = (more: object = {}) => createTelegramBot(config(more));
  const now = AbortSignal.timeout(30_000);

  test('fetches from a number on, which confirms what came before', async () => {
    for (const text of ['one', 'two', 'three']) far.api.says(token, ana, text);
    const [first] = await bot().fetch(null, { waitMs: 0, signal: now });
    expect(first).toMatchObject({ id: 700_000_001, key: 'update:987654321:700000001' });
    const rest = await bot().fetch(700_000_002, { waitMs: 0, signal: now });
    expect(rest.map(({ id }) => id)).toEqual([700_000_002, 700_000_003]);
    expect((await bot().fetch(null, { waitMs: 0, signal: now })).map(({ id }) => id)).toEqual([700_000_002, 700_000_003]);
  });

  test('has its updates delivered with a secret that follows from the token, and drops none', async () => {
    far.api.says(token, ana, 'while it was down');
    await bot().listen('http://127.0.0.1:9/hook');
    expect(far.api.calls.at(-1)?.body).toEqual({
      url: 'http://127.0.0.1:9/hook',
      secret_token: webhookSecretOf({ token }),
      allowed_updates: ['message', 'edited_message', 'callback_query', 'my_chat_member'],
      max_connections: 10,
      drop_pending_updates: false,
    });
    await expect(bot().fetch(null, { waitMs: 0, signal: now })).rejects.toMatchObject({ code: 'conflict' });
    await bot().unlisten();
    expect(far.api.calls.at(-1)?.body).toEqual({ drop_pending_updates: false });
    expect(await bot().fetch(null, { waitMs: 0, signal: now })).toHaveLength(1);
  });

  test('answers in a conversation, asks for a number, and acknowledges a button', async () => {
    far.api.says(token, ana, 'hello');
    expect(
      await bot().reply(
        '123456789',
        { text: 'Your number?', buttons: [], keyboard: { kind: 'share_contact', share: 'Share it', skip: 'Not now' } },
        { timeoutMs: 2_000 },
      ),
    ).toMatchObject({
      kind: 'accepted',
    });
    expect(far.api.calls.at(-1)?.body).toMatchObject({
      reply_markup: { keyboard: [[{ text: 'Share it', request_contact: true }], [{ text: 'Not now' }]] },
    });
    await bot().acknowledge('438');
    expect(far.api.calls.at(-1)).toMatchObject({ method: 'answerCallbackQuery', body: { callback_query_id: '438' } });
    far.api.intercept = () => 'hang';
    expect(await bot().reply('123456789', { text: 'x', buttons: [] }, { timeoutMs: 100 })).toMatchObject({ kind: 'unknown' });
  });

  test('whose token was revoked is locked out, and one that waits is told what to wait for', async () => {
    far.api.revoked.add(token);
    await expect(bot().check()).rejects.toMatchObject({ code: 'locked_out' });
    far.api.revoked.clear();
    far.api.intercept = () => ({
      status: 429,
      body: { ok: false, error_code: 429, description: 'Too Many Requests', parameters: { retry_after: 3 } },
    });
    await expect(bot().check()).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 3_000 });
    far.api.intercept = () => ({ status: 502, body: {} });
    await expect(bot().check()).rejects.toMatchObject({ code: 'unavailable' });
  });

  test.skipIf(spec === null)('asks as the specification has it', async () => {
    far.api.says(token, ana, 'hello');
    await bot().listen('https://rekindle.example/hook');
    await bot().unlisten();
    await bot().fetch(7, { waitMs: 0, signal: now });
    await bot().reply('123456789', { text: 'x', buttons: [[{ text: 'y', value: 'z' }]] }, { timeoutMs: 2_000 });
    await bot().reply(
      '123456789',
      { text: 'x', buttons: [], keyboard: { kind: 'share_contact', share: 'Share it', skip: 'Not now' } },
      { timeoutMs: 2_000 },
    );
    await bot().acknowledge('438');
    await bot().check();
    expect(far.api.calls).toHaveLength(7);
    for (const { method, body } of far.api.calls) {
      const name = method === 'getMe' ? null : `/$defs/request.${method}`;
      if (name !== null) expect(faultsBy(spec, name, body), method).toEqual([]);
    }
    expect(faultsBy(spec, '/$defs/request.sendMessage', { chat_id: 1 })).not.toEqual([]);
  });

  test.skipIf(spec === null)('gets what the specification has, also from the stand-in', () => {
    far.api.says(token, ana, '/start lnk_1');
    far.api.presses(token, ana, 'more');
    far.api.shares(token, ana, '+12025550143');
    far.api.blocks(token, ana);
    for (const update of far.api.bot(token).updates) expect(faultsBy(spec, '/$defs/Update', update)).toEqual([]);
  });
});

const read = (raw: Buffer, chat?: ChatWindow) => {
  const store = chat === undefined ? aStore : { ...aStore, chat };
  const found = telegramReceiver.reread(posted({ raw, headers: {}, receivedAtMs: (dateS + 5) * 1_000 }), store);
  return found.kind === 'events' ? found.events : found.kind;
};

describe('an update', () => {
  const person = { telegram: '123456789' };

  test('of a message is one of the chat, whose lead it names, with the turn', () => {
    expect(read(aMessage({ text: 'how much is it?' }))).toEqual([
      {
        type: 'message.received',
        occurredAtMs: dateS * 1_000,
        toTheSecond: true,
        person: { email: null, phone: null, externalId: null, ...person },
        channel: 'telegram',
        text: 'how much is it?',
        keys: [{ kind: 'telegram_chat', value: '123456789' }],
        chat: {
          chatId: '123456789',
          updateId: 700_000_002,
          act: { kind: 'text' },
          language: 'ru',
          firstName: 'Ana',
          lastName: null,
          late: false,
        },
      },
    ]);
  });

  test.each([
    ['/start', '/start', { kind: 'start', token: null }],
    ['/start lnk_Ab12Cd34', '/start', { kind: 'start', token: 'lnk_Ab12Cd34' }],
    ['/start@the_bot lnk-1', '/start', { kind: 'start', token: 'lnk-1' }],
    ['/stop', '/stop', { kind: 'text' }],
    ['/started', '/started', { kind: 'text' }],
    ['/start not a token', '/start not a token', { kind: 'text' }],
  ])('%s', (text, said, act) => {
    expect(read(aMessage({ text }))).toMatchObject([{ type: 'message.received', text: said, chat: { act } }]);
  });

  test('without words is a reply all the same', () => {
    expect(read(aMessage({ voice: { file_id: 'x', duration: 2 } }))).toMatchObject([{ text: null, chat: { act: { kind: 'text' } } }]);
    expect(read(aMessage({ photo: [], caption: 'this one' }))).toMatchObject([{ text: 'this one' }]);
  });

  test('that shares a number gives it to the person only where it is their own', () => {
    const contact = { phone_number: '12025550143', first_name: 'Ana', user_id: 123_456_789 };
    expect(read(aMessage({ contact }))).toMatchObject([
      { type: 'contact.updated', person: { ...person, phone: '+12025550143', firstName: 'Ana' } },
      { type: 'message.received', person: { phone: null }, chat: { act: { kind: 'contact', phone: '+12025550143', isOwn: true } } },
    ]);
    expect(read(aMessage({ contact: { ...contact, user_id: 5 } }))).toMatchObject([{ type: 'message.received', chat: { act: { isOwn: false } } }]);
    expect(read(aMessage({ contact: { ...contact, user_id: undefined } }))).toMatchObject([{ chat: { act: { isOwn: false } } }]);
    expect(read(aMessage({ contact: { phone_number: 'x' } }))).toMatchObject([{ type: 'message.received', chat: { act: { kind: 'text' } } }]);
  });

  test('of a button has its value and what is to be acknowledged, and happened when it arrived', () => {
    expect(read(aPress('interested_property'))).toMatchObject([
      {
        type: 'message.received',
        occurredAtMs: (dateS + 5) * 1_000,
        text: null,
        person,
        chat: { act: { kind: 'button', value: 'interested_property', queryId: '438', messageId: '501' } },
      },
    ]);
    expect(read(aPress('x', { data: undefined, game_short_name: 'g' }))).toBe('ignored');
  });

  test('of an edited message is no second one to answer', () => {
    const update = JSON.parse(aMessage({ text: 'how much?', edit_date: dateS + 3 }).toString()) as { message: object };
    expect(read(Buffer.from(JSON.stringify({ update_id: 9, edited_message: update.message })))).toMatchObject([
      { occurredAtMs: (dateS + 3) * 1_000, chat: { act: { kind: 'edit' } } },
    ]);
  });

  test('of a chat that blocks the bot is an opt-out there, of one that unblocks it an opt-in', () => {
    expect(read(aMember('member', 'kicked'))).toMatchObject([
      { type: 'contact.opted_out', channel: 'telegram', person, final: false, basis: 'person', source: 'telegram' },
    ]);
    expect(read(aMember('kicked', 'member'))).toMatchObject([{ type: 'contact.opted_in', channel: 'telegram', person }]);
    expect(read(aMember('left', 'member'))).toBe('ignored');
  });

  test('of a group, a channel or another bot is nobody’s', () => {
    expect(read(aMessage({ text: 'stop', chat: { id: -1_001_234, type: 'supergroup' } }))).toBe('ignored');
    expect(read(aMessage({ text: 'stop', from: { id: 5, is_bot: true, first_name: 'b' } }))).toBe('ignored');
    expect(read(Buffer.from(JSON.stringify({ update_id: 9, poll: { id: '1' } })))).toBe('ignored');
  });

  test('that cannot be read is kept, because it may be a stop', () => {
    const found = telegramReceiver.reread(posted({ raw: aMessage({ chat: null, text: 'stop' }), headers: {}, receivedAtMs: 1 }), aStore);
    expect(found).toMatchObject({ kind: 'unreadable', mayBeStop: true });
  });

  test('from before the start of the bot is late, to the second', () => {
    const isLate = (raw: Buffer, chat: ChatWindow) => (read(raw, chat) as { chat: { late: boolean } }[])[0]?.chat.late;
    const window = (answersFromMs: number, isBacklog = false) => ({ answersFromMs, isBacklog });
    expect(isLate(aMessage({ text: 'x' }), window(dateS * 1_000 + 900))).toBe(false);
    expect(isLate(aMessage({ text: 'x' }), window((dateS + 1) * 1_000))).toBe(true);
    expect(isLate(aMessage({ text: 'x' }), window(dateS * 1_000 - 5_000, true))).toBe(false);
    expect(isLate(aPress('x'), window(0, true))).toBe(true);
    expect(isLate(aPress('x'), window(0))).toBe(false);
    expect(isLate(aMessage({ text: 'x' }), window(Number.POSITIVE_INFINITY))).toBe(true);
  });

  test.skipIf(samples === null)('of the published samples is understood', () => {
    for (const [name, update] of Object.entries(samples?.updates ?? {}))
      expect(read(Buffer.from(JSON.stringify(update))), name).not.toSatisfy((found) => typeof found === 'string');
  });
});
