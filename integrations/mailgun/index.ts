import type { Integration } from '../port.ts';
import { mailgunConfig } from './config.ts';
import { mailgunReceiver } from './receive.ts';
import { createMailgunSender } from './send.ts';

/** Emails by Mailgun. Its webhooks are signed with the key of the configuration. */
export const mailgun: Integration = {
  name: 'mailgun',
  title: 'Mailgun',
  purpose: 'email',
  guide: {
    before: [
      'In Mailgun, under API Security, make a key for sending.',
      'The signing key stands under Sending, Webhooks: HTTP webhook signing key. It is not the key of the API.',
      'For a domain in the European Union the base URL is https://api.eu.mailgun.net.',
    ],
    after: ['In Mailgun, under Sending, Webhooks, enter the address for each of: Delivered, Permanent failure, Spam complaints, Unsubscribes.'],
  },
  config: mailgunConfig,
  webhookSecrets: (config) => [mailgunConfig.parse(config).signingKey],
  receiver: mailgunReceiver,
  sender: (config) => createMailgunSender(mailgunConfig.parse(config)),
};
