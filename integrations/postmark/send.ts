import { mailbox, unsubscribeHeaders } from '../email-headers.ts';
import { answerFields } from '../http/answer-fields.ts';
import { type HttpAnswer, judgeStatus } from '../http/judge.ts';
import { openHttpSession } from '../http/open-session.ts';
import type { EmailPayload, Sender, SendOutcome } from '../port.ts';
import { accountField, accountOf, keyField, keyValue, type PostmarkConfig, urlOf } from './config.ts';
import { findEmail } from './find.ts';

/**
 * Emails by Postmark's API. It knows no idempotency keys; a call in doubt is looked up by the message's metadata, which its search shows some minutes
 * later.
 * Source: postmarkapp.com/developer/api/email-api, …/messages-api
 * @param deps - times of the connection and of questions; tests shorten them
 */
export function createPostmarkSender(
  config: PostmarkConfig,
  deps: { openTimeoutMs?: number; continueMs?: number; askTimeoutMs?: number } = {},
): Sender<'email'> {
  const url = urlOf(config, '/email');
  return {
    channel: 'email',
    account: accountOf(config.account),
    times: { deadlineMs: 2_500, leaseMs: 3_000, deadLeaseMs: 10_000 },
    reconciliation: { kind: 'find', settleAfterMs: 10 * 60_000, find: (key) => findEmail(config, key, deps.askTimeoutMs ?? 1_800) },
    open: () =>
      openHttpSession({
        url,
        openTimeoutMs: deps.openTimeoutMs ?? 3_000,
        continueMs: deps.continueMs ?? 500,
        toMessage: (payload, sendKey) => ({
          url,
          headers: { 'x-postmark-server-token': config.serverToken, accept: 'application/json', 'content-type': 'application/json' },
          body: Buffer.from(JSON.stringify(bodyOf(config, payload, sendKey))),
          judge,
        }),
      }),
  };
}

function bodyOf(config: PostmarkConfig, { from, to, replyTo, subject, html, text, unsubscribeUrl }: EmailPayload, sendKey: string): object {
  return {
    From: mailbox(from),
    To: mailbox(to),
    ...(replyTo === null ? {} : { ReplyTo: replyTo }),
    Subject: subject,
    HtmlBody: html,
    TextBody: text,
    MessageStream: config.messageStream,
    Headers: Object.entries(unsubscribeHeaders(unsubscribeUrl)).map(([Name, Value]) => ({ Name, Value })),
    Metadata: { [accountField]: config.account, [keyField]: keyValue(sendKey) },
    // Opens and clicks are our own, and a link must lead where it says.
    TrackOpens: false,
    TrackLinks: 'None',
  };
}

// Postmark's own codes stand in the body, and are no statuses of HTTP.
const inactiveRecipient = 406;
const invalidRequest = 300;
const nothingSaidOfTheMessage = new Set([100, 405, 412, 413]);

function judge({ status, body }: HttpAnswer): SendOutcome {
  const answer = answerFields(body);
  const code = typeof answer['ErrorCode'] === 'number' ? answer['ErrorCode'] : null;
  const id = typeof answer['MessageID'] === 'string' && /^[\w-]{1,100}$/.test(answer['MessageID']) ? answer['MessageID'] : null;
  const response = `HTTP ${status}${code === null || code === 0 ? '' : `, Postmark error ${code}`}`;
  // A proxy's page may come with 200; Postmark names the message.
  if (status >= 200 && status < 300 && (id === null || code !== 0)) return { kind: 'unknown', response };
  const outcome = judgeStatus(status, response, id);
  if (outcome.kind !== 'refused' || code === null) return outcome;
  if (code === inactiveRecipient || (code === invalidRequest && isAboutRecipient(answer['Message']))) return { ...outcome, severity: 'hard' };
  return nothingSaidOfTheMessage.has(code) ? { ...outcome, outage: true } : outcome;
}

/** An invalid request may be about any field: only one about the recipient says that the address will never work. */
const isAboutRecipient = (message: unknown): boolean => typeof message === 'string' && /\binvalid\b[^.]*[`'"]to[`'"]/i.test(message);
