import { readdirSync, readFileSync } from 'node:fs';
import { wooCommerceReceiver } from '../../../integrations/woocommerce/receive.ts';
import { signWooCommerce } from '../../../integrations/woocommerce/sign.ts';
import { posted } from '../../helpers/a-delivery.ts';
import type { ProviderConformance } from '../provider-conformance.ts';

const fixtures = new URL('../../fixtures/woocommerce/', import.meta.url);

export const conformance: ProviderConformance = {
  receiver: {
    name: 'woocommerce',
    receiver: wooCommerceReceiver,
    secrets: ['woo_an-invented-secret', 'woo_the-next&"invented"-secret'],
    wrongSecret: 'woo_a-stranger',
    signatureHeaders: ['x-wc-webhook-signature'],
    // A delivery has no id of its own: another one is about another shop, topic or body.
    sign: (secret, raw, { id, topic, atMs }) =>
      posted({
        raw,
        headers: {
          'x-wc-webhook-source': `https://shop.example/${id}`,
          'x-wc-webhook-topic': topic,
          'x-wc-webhook-delivery-id': '0f4c1e2a9b8d7c6e5f4a3b2c1d0e9f8a',
          'x-wc-webhook-signature': signWooCommerce(secret, raw),
        },
        receivedAtMs: atMs,
      }),
    examples: readdirSync(fixtures).map((file) => ({ topic: file.replace('.json', ''), raw: readFileSync(new URL(file, fixtures)) })),
  },
};
