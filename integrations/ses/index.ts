import type { Integration } from '../port.ts';
import { sesConfig } from './config.ts';
import { sesReceiver } from './receive.ts';
import { createSesSender } from './send.ts';

/** Emails by Amazon SES. Its events come by an SNS topic, which its ARN names: SNS signs them, so there is no secret. */
export const ses: Integration = {
  name: 'ses',
  title: 'Amazon SES',
  purpose: 'email',
  config: sesConfig,
  webhookSecrets: (config) => [sesConfig.parse(config).topicArn],
  receiver: sesReceiver,
  sender: (config) => createSesSender(sesConfig.parse(config)),
};
