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
  config: sendGridConfig,
  receiver: sendGridReceiver,
  unusableSecret: unusableKey,
  sender: (config) => createSendGridSender(sendGridConfig.parse(config)),
};
