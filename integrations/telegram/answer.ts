import { answerFields } from '../http/answer-fields.ts';

/** An error as the Bot API reports it. */
export interface TelegramError {
  /** As HTTP has it. */
  code: number;
  /** Free text, which Telegram may change: only what has no code of its own is read from it. */
  description: string;
  /** How long the whole bot has to wait; null: it does not say. */
  retryAfterMs: number | null;
}

/** An answer of the Bot API; null: it is none, as of a proxy. */
export type TelegramAnswer = { ok: true; result: unknown } | { ok: false; error: TelegramError } | null;

const longestWaitMs = 3_600_000;

/**
 * Read an answer. A status alone, without Telegram's own body, says what HTTP means by it.
 * Source: core.telegram.org/bots/api#making-requests, core.telegram.org/bots/api#responseparameters
 */
export function readAnswer(status: number, body: string): TelegramAnswer {
  const fields = answerFields(body);
  if (fields['ok'] === true) return { ok: true, result: fields['result'] };
  if (fields['ok'] !== false) return null;
  const code = typeof fields['error_code'] === 'number' ? fields['error_code'] : status;
  const description = typeof fields['description'] === 'string' ? fields['description'].slice(0, 300) : '';
  const parameters = typeof fields['parameters'] === 'object' && fields['parameters'] !== null ? fields['parameters'] : {};
  const after = 'retry_after' in parameters && typeof parameters.retry_after === 'number' ? parameters.retry_after : null;
  const retryAfterMs = after === null || !(after >= 0) ? null : Math.min(longestWaitMs, Math.ceil(after * 1_000));
  return { ok: false, error: { code, description, retryAfterMs } };
}

/** Whether the refusal is about the chat, for good: blocked, deactivated, never begun, or there is none. */
export function isDeadChat({ code, description }: TelegramError): boolean {
  if (code === 403) return true;
  // A 400 has no code that tells a chat that is gone from a text that is wrong.
  return code === 400 && /chat not found|user not found|peer_id_invalid|chat_id is empty/i.test(description);
}

/** Whether the token is refused: revoked, or of no bot. */
export const isTokenRefused = ({ code }: TelegramError): boolean => code === 401 || code === 404;
