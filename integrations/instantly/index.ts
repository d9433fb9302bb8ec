import type { Integration } from '../port.ts';
import { newToken } from '../shared-token.ts';
import { instantlyConfig } from './config.ts';
import { instantlyReceiver } from './receive.ts';
import { createInstantlySender } from './send.ts';

/** Emails by Instantly's campaigns. It signs nothing: the token of its webhooks is made here, and entered there as a header. */
export const instantly: Integration = {
  name: 'instantly',
  title: 'Instantly',
  purpose: 'email',
  guide: {
    before: [
      'In Instantly, under Settings, Integrations, make a key of the API.',
      'Make a campaign with one step, whose subject is {{rk_subject}} and whose body is {{rk_body}}. Its id stands in its address.',
      'A person is in a campaign once: each email of a sequence needs a campaign of its own, by the name of its step.',
    ],
    after: ['Make a webhook for all events with the address, and a header Authorization whose value is Bearer and the secret.'],
  },
  config: instantlyConfig,
  newSecret: newToken,
  receiver: instantlyReceiver,
  senders(config) {
    const parsed = instantlyConfig.parse(config);
    return parsed.sends.length === 0 ? [] : [createInstantlySender(parsed)];
  },
};
