import type { Integration } from '../port.ts';
import { sendGridConfig } from './config.ts';
import { sendGridReceiver } from './receive.ts';
import { createSendGridSender } from './send.ts';
import { unusableKey } from './sign.ts';

/** Emails by SendGrid. The key that its webhooks are checked with is made there, and is entered. */
export const sendGrid: Integration = {
  name: 'sendgrid',
  title: 'SendGrid',
  purpose: 'email',
  guide: {
    before: [
      'In SendGrid, under Settings, API Keys, make a key that may send mail.',
      'Leave the secret empty for now: SendGrid shows it once its webhook has the address.',
    ],
    secret: 'SendGrid’s verification key, which it shows once the signature is switched on.',
    after: [
      'In SendGrid, under Settings, Mail Settings, Event Webhook, enter the address and choose Delivered, Bounced, Dropped, Spam Reports and Unsubscribes.',
      'Switch the signature on, and enter the verification key that it shows by “New secret” of this connection.',
    ],
  },
  config: sendGridConfig,
  receiver: sendGridReceiver,
  unusableSecret: unusableKey,
  sender: (config) => createSendGridSender(sendGridConfig.parse(config)),
};
