import type { Integration } from '../port.ts';
import { newStandardWebhookSecret } from '../standard-webhooks.ts';
import { vapiConfig } from './config.ts';
import { vapiReceiver } from './receive.ts';
import { createVapiSender } from './send.ts';

/** Calls by VAPI, in which its assistant speaks. The secret of its reports is made here, and entered there as a credential. */
export const vapi: Integration = {
  name: 'vapi',
  title: 'VAPI',
  purpose: 'texts_and_calls',
  config: vapiConfig,
  newSecret: newStandardWebhookSecret,
  receiver: vapiReceiver,
  sender: (config) => createVapiSender(vapiConfig.parse(config)),
};
