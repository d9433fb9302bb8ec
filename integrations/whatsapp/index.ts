import type { Integration } from '../port.ts';
import { whatsappConfig } from './config.ts';
import { whatsappReceiver } from './receive.ts';
import { createWhatsappSender } from './send.ts';

/** WhatsApp messages by Meta's Cloud API. Its notifications are signed with the secret of the app. */
export const whatsapp: Integration = {
  name: 'whatsapp',
  title: 'WhatsApp',
  purpose: 'texts_and_calls',
  guide: {
    before: [
      'At developers.facebook.com, open your app with WhatsApp: the id of the number stands under API Setup, the app secret under App settings, Basic.',
      'The access token is that of a system user with whatsapp_business_messaging: one of API Setup ends after a day.',
      'Think of a verify token, eight characters at least: Meta names it when it checks the address.',
    ],
    after: ['In the app, under WhatsApp, Configuration, enter the address and the verify token, and subscribe to messages.'],
  },
  config: whatsappConfig,
  webhookSecrets: (config) => [whatsappConfig.parse(config).appSecret],
  receiver: whatsappReceiver,
  sender: (config) => createWhatsappSender(whatsappConfig.parse(config)),
};
