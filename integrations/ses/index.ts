import type { Integration } from '../port.ts';
import { sesConfig } from './config.ts';
import { sesReceiver } from './receive.ts';
import { createSesSender } from './send.ts';

/** Emails by Amazon SES. Its events come by an SNS topic, which its ARN names: SNS signs them, so there is no secret. */
export const ses: Integration = {
  name: 'ses',
  title: 'Amazon SES',
  purpose: 'email',
  guide: {
    before: [
      'Make an IAM user who may do ses:SendEmail and nothing else, and an access key for it.',
      'Make an SNS topic, and a configuration set in SES whose events go to that topic.',
    ],
    after: ['In SNS, add a subscription of the topic: protocol HTTPS, and the address. Rekindle confirms it by itself.'],
  },
  config: sesConfig,
  webhookSecrets: (config) => [sesConfig.parse(config).topicArn],
  receiver: sesReceiver,
  sender: (config) => createSesSender(sesConfig.parse(config)),
};
