import { readdirSync, readFileSync } from 'node:fs';
import { shopifyReceiver } from '../../../integrations/shopify/receive.ts';
import { signShopify } from '../../../integrations/shopify/sign.ts';
import { posted } from '../../helpers/a-delivery.ts';
import type { ProviderConformance } from '../provider-conformance.ts';

const fixtures = new URL('../../fixtures/shopify/', import.meta.url);

export const conformance: ProviderConformance = {
  receiver: {
    name: 'shopify',
    receiver: shopifyReceiver,
    secrets: ['shpss_an-invented-secret', 'shpss_the-next-invented-secret'],
    wrongSecret: 'shpss_a-stranger',
    signatureHeaders: ['x-shopify-hmac-sha256'],
    sign: (key, raw, { id, topic, atMs }) =>
      posted({
        raw,
        headers: { 'x-shopify-topic': topic, 'x-shopify-webhook-id': id, 'x-shopify-hmac-sha256': signShopify(key, raw) },
        receivedAtMs: atMs,
      }),
    examples: readdirSync(fixtures).map((file) => ({
      topic: file.replace('-', '/').replace('.json', ''),
      raw: readFileSync(new URL(file, fixtures)),
    })),
  },
};
