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
  guide: {
    before: [
      'In Postmark, open your server: its token stands under API Tokens.',
      'Use a stream for broadcasts: Postmark takes no marketing on a transactional one.',
    ],
    after: [
      'In Postmark, open the stream and make a webhook with the address, and a custom header X-Rekindle-Token whose value is the secret.',
      'Choose Delivery, Bounce, Spam Complaint and Subscription Change.',
    ],
  },
  config: postmarkConfig,
  newSecret: newToken,
  receiver: postmarkReceiver,
  sender: (config) => createPostmarkSender(postmarkConfig.parse(config)),
};
