import aws4 from 'aws4';
import { unsubscribeHeaders } from '../email-headers.ts';
import { answerFields } from '../http/answer-fields.ts';
import { type HttpAnswer, judgeStatus } from '../http/judge.ts';
import { openHttpSession } from '../http/open-session.ts';
import type { EmailPayload, Sender, SendOutcome } from '../port.ts';
import { mailboxField, wireAddress } from '../smtp/header-fields.ts';
import { accountOf, accountTag, keyTag, type SesConfig, sendUrl, writtenKey } from './config.ts';

/**
 * Emails by Amazon SES. It knows no idempotency keys and finds no message without the id that its answer would have brought: a call in doubt stays
 * `unknown`, until an event proves by the message's tags that it was accepted.
 * Source: docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
 * @param deps - times of the connection; tests shorten them
 */
export function createSesSender(config: SesConfig, deps: { openTimeoutMs?: number; continueMs?: number } = {}): Sender<'email'> {
  const url = sendUrl(config);
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
        toMessage: (payload, sendKey) => {
          const body = Buffer.from(JSON.stringify(bodyOf(config, payload, sendKey)));
          return { url, headers: signedHeaders(config, url, body), body, judge };
        },
      }),
  };
}

/** Signature Version 4, by the wall clock: AWS refuses a signature that is five minutes old. */
function signedHeaders({ region, accessKeyId, secretAccessKey }: SesConfig, url: URL, body: Buffer): Record<string, string> {
  const headers = { host: url.host, accept: 'application/json', 'content-type': 'application/json', 'content-length': String(body.length) };
  const signed = aws4.sign({ service: 'ses', region, method: 'POST', path: url.pathname, headers, body }, { accessKeyId, secretAccessKey });
  return Object.fromEntries(Object.entries(signed.headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]));
}

function bodyOf({ configurationSet, account }: SesConfig, payload: EmailPayload, sendKey: string): object {
  const { from, to, replyTo, subject, html, text, unsubscribeUrl } = payload;
  const words = (data: string) => ({ Data: data, Charset: 'UTF-8' });
  return {
    FromEmailAddress: mailboxOf(from),
    Destination: { ToAddresses: [mailboxOf(to)] },
    ...(replyTo === null ? {} : { ReplyToAddresses: [replyTo] }),
    Content: {
      Simple: {
        Subject: words(subject),
        Body: { Text: words(text), Html: words(html) },
        // SES writes Message-ID and Date itself.
        Headers: Object.entries(unsubscribeHeaders(unsubscribeUrl)).map(([name, value]) => ({ Name: name, Value: value })),
      },
    },
    ConfigurationSetName: configurationSet,
    EmailTags: [
      { Name: accountTag, Value: account },
      { Name: keyTag, Value: writtenKey(sendKey) },
    ],
  };
}

/** SES takes mailboxes as headers have them, in ASCII. An address that cannot be written so is sent as it is, and refused. */
function mailboxOf({ name, address }: { name: string | null; address: string }): string {
  const wire = wireAddress(address);
  return wire === null ? address : mailboxField('To', { name, address: wire }).slice('To: '.length);
}

/** What says nothing about this message: the account is over its quota, paused or suspended. */
const aboutTheAccount = new Set(['LimitExceededException', 'SendingPausedException', 'AccountSuspendedException', 'TooManyRequestsException']);

function judge({ status, body, headers }: HttpAnswer): SendOutcome {
  const answer = answerFields(body);
  const id = answer['MessageId'];
  const kind = errorKind(headers['x-amzn-errortype'] ?? answer['__type']);
  const response = kind === null ? `HTTP ${status}` : `HTTP ${status}, ${kind}`;
  if (status >= 200 && status < 300) {
    // A proxy's page may come with 200; SES names the message.
    return typeof id === 'string' && /^[\w.@-]{1,200}$/.test(id)
      ? { kind: 'accepted', providerMessageId: id, response }
      : { kind: 'unknown', response };
  }
  const outcome = judgeStatus(status, response);
  // No refusal closes an address: `MessageRejected` is mostly about a sender who is not verified. That an address does not exist comes as a bounce.
  return outcome.kind === 'refused' && kind !== null && aboutTheAccount.has(kind) ? { ...outcome, outage: true } : outcome;
}

/** `MessageRejected`, however AWS writes it: `MessageRejected:http://…`, `com.amazonaws.sesv2#MessageRejected`. */
function errorKind(value: unknown): string | null {
  const text = typeof value === 'string' ? value.split(':')[0]?.split('#').at(-1) : undefined;
  return text !== undefined && /^[A-Za-z]{1,80}$/.test(text) ? text : null;
}
