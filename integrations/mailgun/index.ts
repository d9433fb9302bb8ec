import type { Integration } from '../port.ts';
import { mailgunConfig } from './config.ts';
import { mailgunReceiver } from './receive.ts';
import { createMailgunSender } from './send.ts';

/** Emails by Mailgun. Its webhooks are signed with the key of the configuration. */
export const mailgun: Integration = {
  name: 'mailgun',
  title: 'Mailgun',
  purpose: 'email',
  config: mailgunConfig,
  webhookSecrets: (config) => [mailgunConfig.parse(config).signingKey],
  receiver: mailgunReceiver,
  sender: (config) => createMailgunSender(mailgunConfig.parse(config)),
};
