import { unsubscribeHeaders } from '../email-headers.ts';
import { answerFields } from '../http/answer-fields.ts';
import { type HttpAnswer, judgeStatus } from '../http/judge.ts';
import { openHttpSession } from '../http/open-session.ts';
import type { EmailPayload, Sender, SendOutcome } from '../port.ts';
import { accountArgument, accountOf, type SendGridConfig } from './config.ts';

/**
 * Emails by SendGrid's API. It knows no idempotency keys, and only a paid add-on finds a message again: a call in doubt stays `unknown`, until a receipt
 * proves that it was accepted.
 * Source: twilio.com/docs/sendgrid/api-reference/mail-send
 * @param deps - times of the connection; tests shorten them
 */
export function createSendGridSender(config: SendGridConfig, deps: { openTimeoutMs?: number; continueMs?: number } = {}): Sender<'email'> {
  const url = new URL(`${config.baseUrl.replace(/\/+$/, '')}/v3/mail/send`);
  return {
    channel: 'email',
    account: accountOf(config.account),
    times: { deadlineMs: 2_500, leaseMs: 3_000, deadLeaseMs: 10_000 },
    reconciliation: { kind: 'none' },
    open: () =>
      openHttpSession({
        url,
        openTimeoutMs: deps.openTimeoutMs ?? 3_000,
        continueMs: deps.continueMs ?? 500,
        toMessage: (payload, sendKey) => ({
          url,
          headers: { authorization: `Bearer ${config.apiKey}`, accept: 'application/json', 'content-type': 'application/json' },
          body: Buffer.from(JSON.stringify(bodyOf(config, payload, sendKey))),
          judge,
        }),
      }),
  };
}

function bodyOf(config: SendGridConfig, { from, to, replyTo, subject, html, text, unsubscribeUrl }: EmailPayload, sendKey: string): object {
  const person = ({ name, address }: { name: string | null; address: string }) => ({
    email: address,
    ...(name === null || name === '' ? {} : { name }),
  });
  return {
    personalizations: [{ to: [person(to)], custom_args: { [accountArgument]: config.account, rekindle_key: sendKey } }],
    from: person(from),
    ...(replyTo === null ? {} : { reply_to: { email: replyTo } }),
    subject,
    // In this order: a mail program shows the last part that it can.
    content: [
      { type: 'text/plain', value: text },
      { type: 'text/html', value: html },
    ],
    headers: unsubscribeHeaders(unsubscribeUrl),
    // Opens and clicks are our own, and a link must lead where it says.
    tracking_settings: {
      click_tracking: { enable: false, enable_text: false },
      open_tracking: { enable: false },
      subscription_tracking: { enable: false },
    },
  };
}

function judge({ status, body, headers }: HttpAnswer): SendOutcome {
  const id = headers['x-message-id'];
  const providerMessageId = typeof id === 'string' && /^[\w-]{1,100}$/.test(id) ? id : null;
  const response = `HTTP ${status}`;
  // A proxy's page may come with 200; SendGrid answers 202 and names the message.
  if (status >= 200 && status < 300 && providerMessageId === null && status !== 202) return { kind: 'unknown', response };
  const outcome = judgeStatus(status, response, providerMessageId);
  return outcome.kind === 'refused' && (status === 400 || status === 422) && isAboutRecipient(body) ? { ...outcome, severity: 'hard' } : outcome;
}

/** A 400 may be about any field: only one about the recipient's address says that it will never work. */
function isAboutRecipient(body: string): boolean {
  const { errors } = answerFields(body);
  return Array.isArray(errors) && errors.some((error: unknown) => /^personalizations\.\d+\.to\.\d+\.email$/.test(fieldOf(error)));
}

const fieldOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'field' in error && typeof error.field === 'string' ? error.field : '';
