import { outboundFetch } from '../http/outbound.ts';
import { BotError, type Bot, type BotMessage, type SendOutcome } from '../port.ts';
import { isTokenRefused, readAnswer, type TelegramError } from './answer.ts';
import { accountOf, allowedUpdates, botIdOf, methodUrl, type TelegramConfig, webhookSecretOf } from './config.ts';
import { updateIdOf, updateKey } from './receive.ts';
import { bodyOf, judgeSend } from './send.ts';

const callTimeoutMs = 10_000;
/** Updates of one answer: Telegram gives no more. */
const mostAtOnce = 100;
/** Deliveries that Telegram makes at once: as many as one store's chats need. */
const mostDeliveries = 10;

/** The bot itself: how its updates are had, and what it says inside a conversation. Source: core.telegram.org/bots/api */
export function createTelegramBot(config: TelegramConfig): Bot {
  const call = async (
    method: string,
    parameters: object,
    { timeoutMs = callTimeoutMs, signal }: { timeoutMs?: number; signal?: AbortSignal } = {},
  ) => {
    const limit = AbortSignal.timeout(timeoutMs);
    const { status, body } = await post(methodUrl(config, method), parameters, signal === undefined ? limit : AbortSignal.any([limit, signal]));
    const answer = readAnswer(status, body);
    if (answer?.ok === true) return answer.result;
    if (answer === null) throw new BotError('unavailable', `${method}: HTTP ${status}`);
    const { error } = answer;
    throw new BotError(codeOf(error), `${method}: Telegram error ${error.code}: ${error.description}`, error.retryAfterMs);
  };
  return {
    account: accountOf(config),
    updates: config.updates ?? null,
    async check() {
      const me = await call('getMe', {});
      return typeof me === 'object' && me !== null && 'username' in me ? `@${String(me.username)}` : accountOf(config);
    },
    async listen(url) {
      const webhook = { url, secret_token: webhookSecretOf(config), allowed_updates: allowedUpdates };
      // Dropping what piled up would lose opt-outs.
      await call('setWebhook', { ...webhook, max_connections: mostDeliveries, drop_pending_updates: false });
    },
    async unlisten() {
      await call('deleteWebhook', { drop_pending_updates: false });
    },
    async fetch(from, { waitMs, signal }) {
      const timeoutS = Math.floor(waitMs / 1_000);
      const asked = { ...(from === null ? {} : { offset: from }), limit: mostAtOnce, timeout: timeoutS, allowed_updates: allowedUpdates };
      const result = await call('getUpdates', asked, { timeoutMs: timeoutS * 1_000 + callTimeoutMs, signal });
      if (!Array.isArray(result)) throw new BotError('unavailable', 'getUpdates: the answer is no list');
      return result.flatMap((update: unknown) => {
        const id = updateIdOf(update);
        return id === null ? [] : [{ id, key: updateKey(botIdOf(config), id), raw: Buffer.from(JSON.stringify(update)) }];
      });
    },
    async reply(chatId, message, { timeoutMs }) {
      try {
        return judgeSend({
          ...(await post(methodUrl(config, 'sendMessage'), replyOf(chatId, message), AbortSignal.timeout(timeoutMs))),
          headers: {},
        });
      } catch (error) {
        return { kind: 'unknown', response: messageOf(error) } satisfies SendOutcome;
      }
    },
    async acknowledge(queryId) {
      await call('answerCallbackQuery', { callback_query_id: queryId });
    },
  };
}

/** A request for the person's own number replaces the keyboard of the chat; a reply without one leaves it. */
function replyOf(chatId: string, { text, buttons, keyboard }: BotMessage): object {
  const body = bodyOf({ to: chatId, text, buttons });
  if (keyboard === undefined) return body;
  if (keyboard.kind === 'closed') return { ...body, reply_markup: { remove_keyboard: true } };
  const rows = [[{ text: keyboard.share, request_contact: true }], [{ text: keyboard.skip }]];
  return { ...body, reply_markup: { keyboard: rows, resize_keyboard: true, one_time_keyboard: true } };
}

/** No redirects: the address holds the token. @throws BotError where there is no answer; the address is not in it */
async function post(url: URL, body: object, signal: AbortSignal): Promise<{ status: number; body: string }> {
  try {
    const response = await outboundFetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(body),
      redirect: 'manual',
      signal,
    });
    return { status: response.status, body: await response.text() };
  } catch (cause) {
    throw new BotError('unavailable', `no answer of ${url.host}: ${messageOf(cause)}`, null);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function codeOf(error: TelegramError): BotError['code'] {
  if (isTokenRefused(error)) return 'locked_out';
  if (error.code === 409) return 'conflict';
  if (error.code === 429) return 'rate_limited';
  return error.code >= 400 && error.code < 500 ? 'refused' : 'unavailable';
}
