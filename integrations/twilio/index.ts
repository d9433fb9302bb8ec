import type { Integration } from '../port.ts';
import { twilioConfig } from './config.ts';
import { twilioReceiver } from './receive.ts';
import { createTwilioSender } from './send.ts';

/** Text messages by Twilio. Its webhooks are signed with the account's auth token, or with the shared key of a webhook rule. */
export const twilio: Integration = {
  name: 'twilio',
  title: 'Twilio',
  purpose: 'texts_and_calls',
  guide: {
    before: [
      'In the console of Twilio, the account SID and the auth token stand on the first page.',
      'Enter a number of yours to send from, or the SID of a messaging service in its place.',
    ],
    after: ['In Twilio, enter the address for incoming messages of the number or the messaging service (HTTP POST). Receipts need no setting.'],
  },
  config: twilioConfig,
  webhookSecrets: (config) => [twilioConfig.parse(config).authToken],
  receiver: twilioReceiver,
  sender: (config, context) => createTwilioSender(twilioConfig.parse(config), context),
};
