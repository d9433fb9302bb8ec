import type { Integration } from '../port.ts';
import { smsHttpConfig } from './config.ts';
import { smsHttpReceiver } from './receive.ts';
import { createSmsHttpSender } from './send.ts';

/** Text messages by any gateway that a profile describes; SMS-Retail and 23Telecom have one. */
export const smsHttp: Integration = {
  name: 'sms-http',
  title: 'SMS gateway by HTTP',
  purpose: 'texts_and_calls',
  config: smsHttpConfig,
  webhookSecrets: (config) => [smsHttpConfig.parse(config).webhookToken],
  receiver: smsHttpReceiver,
  sender: (config, context) => createSmsHttpSender(smsHttpConfig.parse(config), context),
};
