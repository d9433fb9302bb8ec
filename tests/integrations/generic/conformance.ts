import { readdirSync, readFileSync } from 'node:fs';
import { genericReceiver } from '../../../integrations/generic/receive.ts';
import { signStandardWebhook } from '../../../integrations/standard-webhooks.ts';
import { posted } from '../../helpers/a-delivery.ts';
import type { ProviderConformance } from '../provider-conformance.ts';

const fixtures = new URL('../../fixtures/generic/', import.meta.url);

export const conformance: ProviderConformance = {
  receiver: {
    name: 'generic',
    receiver: genericReceiver,
    secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'],
    wrongSecret: 'whsec_c3RyYW5nZXItc3RyYW5nZXItMTIz',
    signatureHeaders: ['webhook-id', 'webhook-timestamp', 'webhook-signature'],
    sign: (key, raw, { id, atMs }) => {
      const timestampS = Math.floor(atMs / 1_000);
      return posted({
        raw,
        headers: { 'webhook-id': id, 'webhook-timestamp': String(timestampS), 'webhook-signature': signStandardWebhook(key, id, timestampS, raw) },
        receivedAtMs: atMs,
      });
    },
    examples: readdirSync(fixtures).map((file) => ({ topic: file.replace('.json', ''), raw: readFileSync(new URL(file, fixtures)) })),
  },
};
