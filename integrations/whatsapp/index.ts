import type { Integration } from '../port.ts';
import { whatsappConfig } from './config.ts';
import { whatsappReceiver } from './receive.ts';
import { createWhatsappSender } from './send.ts';

/** WhatsApp messages by Meta's Cloud API. Its notifications are signed with the secret of the app. */
export const whatsapp: Integration = {
  name: 'whatsapp',
  title: 'WhatsApp',
  purpose: 'texts_and_calls',
  config: whatsappConfig,
  webhookSecrets: (config) => [whatsappConfig.parse(config).appSecret],
  receiver: whatsappReceiver,
  sender: (config) => createWhatsappSender(whatsappConfig.parse(config)),
};
