import { keitaroReceiver } from '../../../integrations/keitaro/receive.ts';
import { posted } from '../../helpers/a-delivery.ts';
import type { ProviderConformance } from '../provider-conformance.ts';

const json = (body: object) => Buffer.from(JSON.stringify(body));

export const conformance: ProviderConformance = {
  receiver: {
    name: 'keitaro',
    receiver: keitaroReceiver,
    secrets: ['an-invented-token', 'the-next-invented-token'],
    wrongSecret: 'the-token-of-a-stranger',
    signatureHeaders: [],
    provesOnlySender: true,
    readsEveryTopic: true,
    sign(secret, raw, { id, atMs }) {
      const tid = encodeURIComponent(id.replace(/\p{Surrogate}/gu, ''));
      const url = `https://rekindle.example/api/webhooks/keitaro/a-connection?token=${secret}&tid=${tid}`;
      return { ...posted({ raw, headers: {}, receivedAtMs: atMs }), url };
    },
    examples: [
      { topic: 'postback', raw: json({ subid: '51ts6sgr1cbkdhljnrv', status: 'sale', payout: '30.50', currency: 'USD' }) },
      { topic: 'postback', raw: json({ sub_id: '018f0000-0000-7000-8000-000000000001', status: 'REJECTED' }) },
    ],
    ofTopic: (status) => json({ subid: '51ts6sgr1cbkdhljnrv', status }),
  },
};
