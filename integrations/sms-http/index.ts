import type { Integration } from '../port.ts';
import { smsHttpConfig } from './config.ts';
import { smsHttpReceiver } from './receive.ts';
import { createSmsHttpSender } from './send.ts';

/** Text messages by any gateway that a profile describes; SMS-Retail and 23Telecom have one. */
export const smsHttp: Integration = {
  name: 'sms-http',
  title: 'SMS gateway by HTTP',
  purpose: 'texts_and_calls',
  guide: {
    before: [
      'Choose the profile of your gateway, and enter what it logs in with as secrets. The documentation says how any other gateway is described.',
      'Think of a webhook token, 16 characters at least: these gateways sign nothing, so it stands in the address of reports.',
    ],
    after: ['At the gateway, enter the address with ?token= and your webhook token behind it, for delivery reports and for incoming texts.'],
  },
  config: smsHttpConfig,
  webhookSecrets: (config) => [smsHttpConfig.parse(config).webhookToken],
  receiver: smsHttpReceiver,
  sender: (config, context) => createSmsHttpSender(smsHttpConfig.parse(config), context),
};
