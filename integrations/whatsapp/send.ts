import { answerFields } from '../http/answer-fields.ts';
import { type HttpAnswer, judgeStatus } from '../http/judge.ts';
import { openHttpSession } from '../http/open-session.ts';
import type { Sender, SendOutcome, WhatsappPayload } from '../port.ts';
import { accountOf, messagesUrl, type WhatsappConfig } from './config.ts';
import { isAboutTheAccount, isDeadNumber, optedOutCode, readErrorCode } from './error-codes.ts';

/**
 * Messages by the WhatsApp Cloud API. It knows no idempotency keys, and nothing can be asked about a message: a call in doubt stays `unknown`, until a
 * status proves by the key that comes back with it that it was accepted.
 * Source: developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
 * @param deps - times of the connection; tests shorten them
 */
export function createWhatsappSender(config: WhatsappConfig, deps: { openTimeoutMs?: number; continueMs?: number } = {}): Sender<'whatsapp'> {
  const url = messagesUrl(config);
  return {
    channel: 'whatsapp',
    account: accountOf(config.phoneNumberId),
    times: { deadlineMs: 2_500, leaseMs: 3_000, deadLeaseMs: 10_000 },
    reconciliation: { kind: 'none' },
    open: () =>
      openHttpSession({
        url,
        openTimeoutMs: deps.openTimeoutMs ?? 3_000,
        continueMs: deps.continueMs ?? 500,
        toMessage: (payload, sendKey) => ({
          url,
          headers: { authorization: `Bearer ${config.accessToken}`, accept: 'application/json', 'content-type': 'application/json' },
          body: Buffer.from(JSON.stringify(bodyOf(payload, sendKey))),
          judge,
        }),
      }),
  };
}

function bodyOf({ to, message }: WhatsappPayload, sendKey: string): object {
  const common = { messaging_product: 'whatsapp', recipient_type: 'individual', to: to.replace(/^\+/, ''), biz_opaque_callback_data: sendKey };
  // The link is our own, and a preview would fetch it like a visitor.
  if (message.form === 'text') return { ...common, type: 'text', text: { preview_url: false, body: message.text } };
  const parameters = message.parameters.map((text) => ({ type: 'text', text }));
  return {
    ...common,
    type: 'template',
    template: {
      name: message.name,
      language: { code: message.language, policy: 'deterministic' },
      ...(parameters.length === 0 ? {} : { components: [{ type: 'body', parameters }] }),
    },
  };
}

function judge({ status, body }: HttpAnswer): SendOutcome {
  const answer = answerFields(body);
  const code = codeOf(answer['error']);
  const response = code === null ? `HTTP ${status}` : `HTTP ${status}, WhatsApp error ${code}`;
  if (status >= 200 && status < 300) {
    const id = idOf(answer['messages']);
    // A proxy's page may come with 200; WhatsApp names the message.
    return id === null ? { kind: 'unknown', response } : { kind: 'accepted', providerMessageId: id, response };
  }
  const outcome = judgeStatus(status, response);
  if (outcome.kind !== 'refused') return outcome;
  if (isAboutTheAccount(code)) return { ...outcome, outage: true };
  return isDeadNumber(code) || code === optedOutCode ? { ...outcome, severity: 'hard' } : outcome;
}

const codeOf = (error: unknown): number | null => (typeof error === 'object' && error !== null && 'code' in error ? readErrorCode(error.code) : null);

function idOf(messages: unknown): string | null {
  const first: unknown = Array.isArray(messages) ? messages[0] : null;
  const id = typeof first === 'object' && first !== null && 'id' in first ? first.id : null;
  return typeof id === 'string' && /^[\x21-\x7e]{1,255}$/.test(id) ? id : null;
}
