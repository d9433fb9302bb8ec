import type { Integration } from '../port.ts';
import { newToken } from '../shared-token.ts';
import { postmarkConfig } from './config.ts';
import { postmarkReceiver } from './receive.ts';
import { createPostmarkSender } from './send.ts';

/** Emails by Postmark. It signs nothing: the token of its webhooks is made here, and entered there as a header. */
export const postmark: Integration = {
  name: 'postmark',
  title: 'Postmark',
  purpose: 'email',
  config: postmarkConfig,
  newSecret: newToken,
  receiver: postmarkReceiver,
  sender: (config) => createPostmarkSender(postmarkConfig.parse(config)),
};
