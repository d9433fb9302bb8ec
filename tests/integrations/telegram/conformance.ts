import { createHash } from 'node:crypto';
import type { TelegramPayload } from '../../../integrations/port.ts';
import { telegramConfig } from '../../../integrations/telegram/config.ts';
import { telegramReceiver } from '../../../integrations/telegram/receive.ts';
import { createTelegramSender } from '../../../integrations/telegram/send.ts';
import { posted } from '../../helpers/a-delivery.ts';
import type { Dialect } from '../../helpers/stub-provider.ts';
import { startHttpFarEnd } from '../http/far-end.ts';
import type { ProviderConformance } from '../provider-conformance.ts';

export const token = '987654321:an-invented-token-of-35-characters_';
export const testConfig = (port: number) => telegramConfig.parse({ token, baseUrl: `http://127.0.0.1:${port}` });

export function aChatMessage(text = 'Two homes match your search.', buttons: TelegramPayload['buttons'] = []): TelegramPayload {
  return { channel: 'telegram', to: '123456789', text, buttons };
}

/** Telegram's own answers. It knows no keys: each test sends a text of its own. */
export const telegramDialect: Dialect = {
  keyOf: (_request, body) => /"text":"([^"]*)"/.exec(body)?.[1]?.slice(0, 100) ?? '',
  taken: { status: 200, body: { ok: true, result: { message_id: 501, date: 1_793_000_000, chat: { id: 123_456_789, type: 'private' } } } },
  bodyOf: (status) => ({ ok: false, error_code: status === 422 ? 403 : status, description: 'an invented sentence' }),
  tell: () => ({}),
};

const ana = { id: 123_456_789, is_bot: false, first_name: 'Ana', username: 'ana_example', language_code: 'ru' };
const chat = { id: 123_456_789, first_name: 'Ana', username: 'ana_example', type: 'private' };
export const dateS = Date.UTC(2026, 9, 24, 11) / 1_000;

/** An update about a message, as Telegram writes it. */
export const aMessage = (more: object, updateId = 700_000_002): Buffer =>
  Buffer.from(JSON.stringify({ update_id: updateId, message: { message_id: 2, from: ana, chat, date: dateS, ...more } }));
export const aPress = (data: string, more: object = {}): Buffer => {
  const message = { message_id: 501, chat, date: dateS - 600, text: 'Two homes match your search.' };
  return Buffer.from(
    JSON.stringify({ update_id: 700_000_004, callback_query: { id: '438', from: ana, message, chat_instance: '-3', data, ...more } }),
  );
};
export const aMember = (before: string, after: string): Buffer => {
  const member = (status: string) => ({ user: { id: 987_654_321, is_bot: true, first_name: 'bot' }, status });
  const change = { chat, from: ana, date: dateS, old_chat_member: member(before), new_chat_member: member(after) };
  return Buffer.from(JSON.stringify({ update_id: 700_000_005, my_chat_member: change }));
};

const secretHeader = 'x-telegram-bot-api-secret-token';
const huge = 'home'.repeat(1_000_000);

export const conformance: ProviderConformance = {
  receiver: {
    name: 'telegram',
    receiver: telegramReceiver,
    secrets: ['the-secret-of-this-bot', 'the-secret-before'],
    wrongSecret: 'a-stranger',
    signatureHeaders: [secretHeader],
    provesOnlySender: true,
    sign(secret, raw, { id, atMs }) {
      // An update is known by its number.
      const number = createHash('sha256').update(id).digest().readUInt32BE();
      const body = Buffer.from(raw.toString('utf8').replace(/"update_id":\d+/, `"update_id":${number}`));
      return posted({ raw: body, headers: { [secretHeader]: secret }, receivedAtMs: atMs });
    },
    examples: [
      { topic: 'message', raw: aMessage({ text: 'how much is it?' }) },
      { topic: 'message', raw: aMessage({ text: '/start lnk_Ab12Cd34' }) },
      { topic: 'callback_query', raw: aPress('interested_property') },
      { topic: 'my_chat_member', raw: aMember('member', 'kicked') },
    ],
    ofTopic: (topic) => Buffer.from(JSON.stringify({ update_id: 1, [topic]: {} })),
  },
  senders: [
    {
      name: 'telegram',
      payload: (size) => aChatMessage(size === 'huge' ? huge : size === 'another' ? 'Another one.' : 'Two homes match your search.'),
      start: () =>
        startHttpFarEnd(false, telegramDialect, (port) => createTelegramSender(testConfig(port), { openTimeoutMs: 1_000, continueMs: 60_000 })),
    },
  ],
};
