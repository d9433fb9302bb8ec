import { answerFields } from '../http/answer-fields.ts';
import type { HttpAnswer } from '../http/judge.ts';
import { judgeStatus } from '../http/judge.ts';
import { openHttpSession } from '../http/open-session.ts';
import type { Sender, SenderContext, SendOutcome, SmsPayload } from '../port.ts';
import { accountOf, authorization, messagesUrl, type TwilioConfig } from './config.ts';
import { isDeadNumber, optedOutCode, readErrorCode } from './error-codes.ts';
import { findText } from './find.ts';

// Twilio drops a text that a carrier holds back for longer, because a late text is worse than none.
const validityPeriodS = 4 * 3_600;

/**
 * Texts by Twilio's Messages API. It knows no idempotency keys; a call in doubt is looked up by the text's short link.
 * @param deps - times of the connection and of questions; tests shorten them
 */
export function createTwilioSender(
  config: TwilioConfig,
  context: SenderContext,
  deps: { openTimeoutMs?: number; continueMs?: number; askTimeoutMs?: number } = {},
): Sender<'sms'> {
  return {
    channel: 'sms',
    account: accountOf(config.accountSid),
    times: { deadlineMs: 2_500, leaseMs: 3_000, deadLeaseMs: 10_000 },
    // Twilio ends a request after 26 seconds at the latest.
    reconciliation: { kind: 'find', settleAfterMs: 60_000, find: (_key, payload) => findText(config, payload, deps.askTimeoutMs ?? 1_800) },
    open: () =>
      openHttpSession({
        url: messagesUrl(config),
        openTimeoutMs: deps.openTimeoutMs ?? 3_000,
        continueMs: deps.continueMs ?? 500,
        toMessage: (payload) => ({
          url: messagesUrl(config),
          headers: { authorization: authorization(config), accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
          body: Buffer.from(formOf(config, context, payload).toString()),
          judge,
        }),
      }),
  };
}

function formOf(config: TwilioConfig, context: SenderContext, payload: SmsPayload): URLSearchParams {
  const from = payload.from ?? config.from;
  const callback = callbackOf(config, context);
  const form = new URLSearchParams({ To: payload.to, Body: payload.text, ValidityPeriod: String(validityPeriodS) });
  if (from === undefined) form.set('MessagingServiceSid', config.messagingServiceSid ?? '');
  else form.set('From', from);
  if (callback !== null) form.set('StatusCallback', callback);
  return form;
}

/** Where receipts go. Twilio refuses a text whose callback it cannot reach, so a trial from a developer's machine goes without. */
export function callbackOf({ baseUrl }: Pick<TwilioConfig, 'baseUrl'>, { webhookUrl }: SenderContext): string | null {
  if (webhookUrl === null) return null;
  return isLoopback(webhookUrl) && !isLoopback(baseUrl) ? null : webhookUrl;
}

function isLoopback(url: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname);
}

function judge({ status, body }: HttpAnswer): SendOutcome {
  const answer = answerFields(body);
  const code = readErrorCode(answer['code']);
  // Twilio's own sentence repeats the number; the code says as much.
  const response = `HTTP ${status}${code === null ? '' : `, Twilio error ${code}`}`;
  const sid = typeof answer['sid'] === 'string' && /^[A-Z]{2}[0-9a-fA-F]{32}$/.test(answer['sid']) ? answer['sid'] : null;
  const outcome = judgeStatus(status, response, sid);
  // A proxy's page may come with 200; Twilio answers 201 and names the message.
  if (outcome.kind === 'accepted' && sid === null && status !== 201) return { kind: 'unknown', response };
  if (outcome.kind !== 'refused' || !(code === optedOutCode || isDeadNumber(code))) return outcome;
  return { ...outcome, severity: 'hard' };
}
