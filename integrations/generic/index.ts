import type { Integration } from '../port.ts';
import { genericReceiver } from './receive.ts';
import { newStandardWebhookSecret, signStandardWebhook, unusableStandardSecret } from '../standard-webhooks.ts';

/** A merchant's own systems. */
export const generic: Integration = {
  name: 'generic',
  title: 'Your own system',
  purpose: 'shop',
  guide: {
    before: [],
    after: [
      'Give the address and the secret to whoever looks after your system.',
      'It has to tell of carts that change, orders that are placed, and people who opt out. The documentation has each event, and scripts that sign them.',
    ],
  },
  newSecret: newStandardWebhookSecret,
  unusableSecret: unusableStandardSecret,
  receiver: genericReceiver,
  signEvent(secret, { id, body, nowMs }) {
    const seconds = Math.floor(nowMs / 1_000);
    const signature = signStandardWebhook(secret, id, seconds, body);
    return { 'content-type': 'application/json', 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': signature };
  },
};
