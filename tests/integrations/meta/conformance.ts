import { metaReceiver } from '../../../integrations/meta/receive.ts';
import { hmacSignature } from '../../../integrations/verify-signature.ts';
import { posted } from '../../helpers/a-delivery.ts';
import type { ProviderConformance } from '../provider-conformance.ts';

/** The value of `X-Hub-Signature-256`. */
export const signMeta = (secret: string, raw: Buffer | string) => `sha256=${hmacSignature({ algorithm: 'sha256', encoding: 'hex' }, secret, [raw])}`;

/** A notification about these leads, one change each. */
export function leadgen(...values: object[]): Buffer {
  const changes = values.map((value) => ({ field: 'leadgen', value }));
  return Buffer.from(JSON.stringify({ object: 'page', entry: [{ id: '100000000000001', time: 1_793_000_000, changes }] }));
}

const ids = { leadgen_id: '900000000000000001', page_id: '100000000000001', form_id: '200000000000001', created_time: 1_793_000_000 };

export const conformance: ProviderConformance = {
  receiver: {
    name: 'meta',
    receiver: metaReceiver,
    secrets: ['an-invented-app-secret', 'the-next-app-secret'],
    wrongSecret: 'a-stranger',
    signatureHeaders: ['x-hub-signature-256'],
    sign(secret, raw, { id, atMs }) {
      // Meta's own id of a delivery is that of the lead in it.
      const body = Buffer.from(raw.toString('utf8').replace('"900000000000000001"', JSON.stringify(id.replace(/\p{Surrogate}/gu, '\ufffd'))));
      return posted({ raw: body, headers: { 'x-hub-signature-256': signMeta(secret, body) }, receivedAtMs: atMs });
    },
    examples: [
      { topic: 'leadgen', raw: leadgen({ ...ids, email: 'ada@example.com', firstName: 'Ada', phone: '+436641234567' }) },
      {
        topic: 'leadgen',
        raw: leadgen({
          ...ids,
          field_data: [
            { name: 'full_name', values: ['Ada Example'] },
            { name: 'email', values: ['ada@example.com'] },
          ],
        }),
      },
      { topic: 'leadgen', raw: leadgen({ leadgen_id: '900000000000000007' }) },
    ],
    ofTopic: (topic) => Buffer.from(JSON.stringify({ object: 'page', entry: [{ id: '1', changes: [{ field: topic, value: {} }] }] })),
  },
};
