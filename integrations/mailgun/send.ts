import { mailbox, unsubscribeHeaders } from '../email-headers.ts';
import { answerFields } from '../http/answer-fields.ts';
import { type HttpAnswer, judgeStatus } from '../http/judge.ts';
import { openHttpSession } from '../http/open-session.ts';
import type { EmailPayload, Sender, SendOutcome } from '../port.ts';
import { accountField, accountOf, authorization, bareId, keyField, type MailgunConfig, urlOf } from './config.ts';
import { findEmail } from './find.ts';

/**
 * Emails by Mailgun's API. It knows no idempotency keys; a call in doubt is looked up among the events of its recipient, which come some minutes later.
 * Source: documentation.mailgun.com/docs/mailgun/api-reference (messages, events)
 * @param deps - times of the connection and of questions; tests shorten them
 */
export function createMailgunSender(
  config: MailgunConfig,
  deps: { openTimeoutMs?: number; continueMs?: number; askTimeoutMs?: number } = {},
): Sender<'email'> {
  const url = urlOf(config, '/messages');
  return {
    channel: 'email',
    account: accountOf(config.account),
    times: { deadlineMs: 2_500, leaseMs: 3_000, deadLeaseMs: 10_000 },
    reconciliation: { kind: 'find', settleAfterMs: 15 * 60_000, find: (key, payload) => findEmail(config, key, payload, deps.askTimeoutMs ?? 1_800) },
    open: () =>
      openHttpSession({
        url,
        openTimeoutMs: deps.openTimeoutMs ?? 3_000,
        continueMs: deps.continueMs ?? 500,
        toMessage: (payload, sendKey) => ({
          url,
          headers: { authorization: authorization(config), accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
          body: Buffer.from(new URLSearchParams(fieldsOf(config, payload, sendKey)).toString()),
          judge,
        }),
      }),
  };
}

function fieldsOf(config: MailgunConfig, payload: EmailPayload, sendKey: string): Record<string, string> {
  const { from, to, replyTo, subject, html, text, unsubscribeUrl, messageId } = payload;
  const headers = Object.entries(unsubscribeHeaders(unsubscribeUrl)).map(([name, value]): [string, string] => [`h:${name}`, value]);
  return {
    from: mailbox(from),
    to: mailbox(to),
    subject,
    text,
    html,
    ...(replyTo === null ? {} : { 'h:Reply-To': replyTo }),
    'h:Message-Id': messageId,
    ...Object.fromEntries(headers),
    [`v:${accountField}`]: config.account,
    [`v:${keyField}`]: sendKey,
    // Opens and clicks are our own, and a link must lead where it says.
    'o:tracking': 'no',
    'o:tracking-clicks': 'no',
    'o:tracking-opens': 'no',
  };
}

function judge({ status, body }: HttpAnswer): SendOutcome {
  const answer = answerFields(body);
  const response = `HTTP ${status}`;
  const id = typeof answer['id'] === 'string' && answer['id'].length <= 255 ? bareId(answer['id']) : '';
  // A proxy's page may come with 200; Mailgun names the message.
  if (status >= 200 && status < 300 && id === '') return { kind: 'unknown', response };
  const outcome = judgeStatus(status, response, id);
  if (outcome.kind !== 'refused') return outcome;
  // Not paid: it says nothing about this message.
  if (status === 402) return { ...outcome, outage: true };
  return status === 400 && isAboutRecipient(answer['message']) ? { ...outcome, severity: 'hard' } : outcome;
}

/** A 400 may be about any field: only one about the recipient says that the address will never work. */
const isAboutRecipient = (message: unknown): boolean =>
  typeof message === 'string' && /['"`]?\bto\b['"`]? parameter is not a valid address/i.test(message);
