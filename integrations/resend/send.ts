import { mailbox, unsubscribeHeaders } from '../email-headers.ts';
import { answerFields } from '../http/answer-fields.ts';
import { type HttpAnswer, judgeStatus } from '../http/judge.ts';
import { openHttpSession } from '../http/open-session.ts';
import type { EmailPayload, Sender, SendOutcome } from '../port.ts';
import { cleanText } from '../untrusted-text.ts';
import { accountOf, accountTag, type ResendConfig } from './config.ts';

const hourMs = 3_600_000;

/**
 * Emails by Resend's API. It knows idempotency keys: a call in doubt is repeated with its key and the same bytes.
 * Source: resend.com/docs/api-reference/emails/send-email, …/dashboard/emails/idempotency-keys
 * @param deps - times of the connection; tests shorten them
 */
export function createResendSender(config: ResendConfig, deps: { openTimeoutMs?: number; continueMs?: number } = {}): Sender<'email'> {
  const url = new URL(`${config.baseUrl.replace(/\/+$/, '')}/emails`);
  return {
    channel: 'email',
    account: accountOf(config.account),
    times: { deadlineMs: 2_500, leaseMs: 3_000, deadLeaseMs: 10_000 },
    reconciliation: { kind: 'keys', keyLifeMs: 24 * hourMs },
    open: () =>
      openHttpSession({
        url,
        openTimeoutMs: deps.openTimeoutMs ?? 3_000,
        continueMs: deps.continueMs ?? 500,
        toMessage: (payload, sendKey) => ({
          url,
          headers: {
            authorization: `Bearer ${config.apiKey}`,
            accept: 'application/json',
            'content-type': 'application/json',
            'idempotency-key': sendKey,
          },
          body: Buffer.from(JSON.stringify(bodyOf(config, payload))),
          judge,
        }),
      }),
  };
}

function bodyOf(config: ResendConfig, { from, to, replyTo, subject, html, text, unsubscribeUrl, messageId }: EmailPayload): object {
  return {
    from: mailbox(from),
    to: [mailbox(to)],
    subject,
    html,
    text,
    ...(replyTo === null ? {} : { reply_to: [replyTo] }),
    headers: { ...unsubscribeHeaders(unsubscribeUrl), 'X-Entity-Ref-ID': messageId },
    tags: [{ name: accountTag, value: config.account }],
  };
}

function judge({ status, body }: HttpAnswer): SendOutcome {
  const answer = answerFields(body);
  const name = cleanText(answer['name'], 60);
  const response = `HTTP ${status}${name === null ? '' : `, ${name}`}`;
  const id = typeof answer['id'] === 'string' ? answer['id'] : null;
  // A proxy's page may come with 200; Resend names the message.
  if (status >= 200 && status < 300 && id === null) return { kind: 'unknown', response };
  // The key is that of another message: this one was not taken.
  if (status === 409 && name === 'invalid_idempotent_request') return { kind: 'refused', severity: 'soft', response };
  const outcome = judgeStatus(status, response, id);
  if (outcome.kind !== 'refused') return outcome;
  // It says nothing about this message: the account may send nothing more for now.
  if (name === 'daily_quota_exceeded' || name === 'monthly_quota_exceeded') return { ...outcome, outage: true };
  return status === 422 && isAboutRecipient(answer['message']) ? { ...outcome, severity: 'hard' } : outcome;
}

/** A 422 may be about any field: only one about the recipient says that the address will never work. */
const isAboutRecipient = (message: unknown): boolean => typeof message === 'string' && /\binvalid\b[^.]*[`'"]to[`'"]/i.test(message);
