import { type HttpAnswer, judgeStatus } from '../http/judge.ts';
import { openHttpSession } from '../http/open-session.ts';
import type { Sender, SendOutcome, TelegramPayload } from '../port.ts';
import { isDeadChat, isTokenRefused, readAnswer } from './answer.ts';
import { accountOf, methodUrl, type TelegramConfig } from './config.ts';

/**
 * Messages by a Telegram bot. The Bot API knows no idempotency keys, and nothing can be asked about a message: a call in doubt stays `unknown`.
 * Source: core.telegram.org/bots/api#sendmessage
 * @param deps - times of the connection; tests shorten them
 */
export function createTelegramSender(config: TelegramConfig, deps: { openTimeoutMs?: number; continueMs?: number } = {}): Sender<'telegram'> {
  const url = methodUrl(config, 'sendMessage');
  return {
    channel: 'telegram',
    account: accountOf(config),
    times: { deadlineMs: 2_500, leaseMs: 3_000, deadLeaseMs: 10_000 },
    reconciliation: { kind: 'none' },
    // Source: core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
    // Of thirty a second for a bot, two are left for answers, which wait for none of these; further ones push the messages. The window is a tenth longer
    // than Telegram's second: its departures are noted with the claim, and the calls follow a little later, by different times.
    rates: {
      account: { most: 25, withinMs: 1_000 },
      answers: { most: 2, withinMs: 1_000 },
      address: { most: 1, withinMs: 1_000 },
      window: { most: 30, withinMs: 1_100, forAnswers: 2 },
    },
    open: () =>
      openHttpSession({
        url,
        openTimeoutMs: deps.openTimeoutMs ?? 3_000,
        continueMs: deps.continueMs ?? 500,
        toMessage: (payload) => ({
          url,
          headers: { accept: 'application/json', 'content-type': 'application/json' },
          body: Buffer.from(JSON.stringify(bodyOf(payload))),
          judge: judgeSend,
        }),
      }),
  };
}

/**
 * A message as `sendMessage` wants it, its fields in a fixed order. There is no `parse_mode`: a name with an asterisk or a bracket in it stays a name,
 * and no message is refused because its markup is broken.
 */
export function bodyOf({ to, text, buttons }: Omit<TelegramPayload, 'channel'>): object {
  return {
    chat_id: Number(to),
    text,
    // The link is our own, and a preview would fetch it like a visitor.
    link_preview_options: { is_disabled: true },
    ...(buttons.length === 0 ? {} : { reply_markup: { inline_keyboard: buttons.map((row) => row.map(buttonOf)) } }),
  };
}

const buttonOf = (button: TelegramPayload['buttons'][number][number]): object =>
  'url' in button ? { text: button.text, url: button.url } : { text: button.text, callback_data: button.value };

/** What an answer to a message that was sent whole means. */
export function judgeSend({ status, body }: HttpAnswer): SendOutcome {
  const answer = readAnswer(status, body);
  if (answer === null) return judgeStatus(status, `HTTP ${status}`);
  if (answer.ok) return { kind: 'accepted', providerMessageId: messageIdOf(answer.result), response: `HTTP ${status}` };
  const { error } = answer;
  const response = `Telegram error ${error.code}${error.description === '' ? '' : `: ${error.description}`}`;
  if (isDeadChat(error)) return { kind: 'refused', severity: 'hard', response };
  // The whole bot has to wait, or is locked out: nothing was said about this message.
  if (error.code === 429 && error.retryAfterMs !== null)
    return { kind: 'refused', severity: 'soft', outage: true, retryAfterMs: error.retryAfterMs, response };
  if (isTokenRefused(error)) return { kind: 'refused', severity: 'soft', outage: true, response };
  return judgeStatus(error.code, response);
}

function messageIdOf(result: unknown): string | null {
  const id = typeof result === 'object' && result !== null && 'message_id' in result ? result.message_id : null;
  return typeof id === 'number' ? String(id) : null;
}
