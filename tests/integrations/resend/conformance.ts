import { resendConfig } from '../../../integrations/resend/config.ts';
import { resendReceiver } from '../../../integrations/resend/receive.ts';
import { createResendSender } from '../../../integrations/resend/send.ts';
import { signStandardWebhook } from '../../../integrations/standard-webhooks.ts';
import { posted } from '../../helpers/a-delivery.ts';
import type { Dialect } from '../../helpers/stub-provider.ts';
import { aMail } from '../a-mail.ts';
import { startHttpFarEnd } from '../http/far-end.ts';
import type { ProviderConformance } from '../provider-conformance.ts';

export const emailId = '56761188-7520-42d8-8898-ff6fc54ce618';
export const testConfig = (port: number) => resendConfig.parse({ apiKey: 're_an_invented_key', baseUrl: `http://127.0.0.1:${port}` });

/** Resend's own answers; a message is known by its idempotency key. */
export const resendDialect: Dialect = {
  keyOf: (request) => String(request.headers['idempotency-key']),
  taken: { status: 200, body: { id: emailId } },
  bodyOf: (statusCode) => ({
    statusCode,
    name: statusCode === 422 ? 'validation_error' : 'an_error',
    message: statusCode === 422 ? 'Invalid `to` field. The address needs to follow the `email@example.com` format.' : 'An invented sentence.',
  }),
  keyReused: { statusCode: 409, name: 'invalid_idempotent_request', message: 'Same idempotency key used with a different request payload.' },
  tell: () => ({}),
};

/** A receipt as Resend delivers it. */
export function receipt(type: string, data: object = {}): Buffer {
  const about = {
    email_id: emailId,
    created_at: '2026-11-01T10:00:00.000Z',
    from: 'Tea & Tin <hello@shop.example.com>',
    to: ['ada@example.com'],
    subject: 'Your cart is waiting',
    tags: { rekindle_account: 'main' },
  };
  return Buffer.from(JSON.stringify({ type, created_at: '2026-11-01T10:00:05.000Z', data: { ...about, ...data } }));
}

const huge = 'tea'.repeat(1_000_000);

export const conformance: ProviderConformance = {
  receiver: {
    name: 'resend',
    receiver: resendReceiver,
    secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'],
    wrongSecret: 'whsec_c3RyYW5nZXItc3RyYW5nZXItMTIz',
    signatureHeaders: ['svix-id', 'svix-timestamp', 'svix-signature'],
    sign: (key, raw, { id, atMs }) => {
      const timestampS = Math.floor(atMs / 1_000);
      return posted({
        raw,
        headers: { 'svix-id': id, 'svix-timestamp': String(timestampS), 'svix-signature': signStandardWebhook(key, id, timestampS, raw) },
        receivedAtMs: atMs,
      });
    },
    examples: [
      { topic: 'email.delivered', raw: receipt('email.delivered') },
      {
        topic: 'email.bounced',
        raw: receipt('email.bounced', { bounce: { type: 'Permanent', subType: 'General', message: 'There is no such mailbox.' } }),
      },
      { topic: 'email.failed', raw: receipt('email.failed', { failed: { reason: 'reached_daily_quota' } }) },
      { topic: 'email.suppressed', raw: receipt('email.suppressed') },
      { topic: 'email.complained', raw: receipt('email.complained') },
    ],
  },
  senders: [
    {
      name: 'resend',
      payload: (size) => aMail(size === 'huge' ? { text: huge } : size === 'another' ? { subject: 'Another one' } : {}),
      start: () => startHttpFarEnd(true, resendDialect, (port) => createResendSender(testConfig(port), { openTimeoutMs: 1_000, continueMs: 60_000 })),
    },
  ],
};
