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
  config: instantlyConfig,
  newSecret: newToken,
  receiver: instantlyReceiver,
  senders(config) {
    const parsed = instantlyConfig.parse(config);
    return parsed.sends.length === 0 ? [] : [createInstantlySender(parsed)];
  },
};
