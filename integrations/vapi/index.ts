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
  guide: {
    before: ['In VAPI, under API Keys, copy the private key.', 'Make an assistant and a telephone number: each has an id beside its name.'],
    after: [
      'In VAPI, open the saved assistant and enter the address as its server URL, with a credential that has the secret.',
      'Give the server a back-off plan: without one, VAPI never repeats a report that was lost.',
    ],
  },
  config: vapiConfig,
  newSecret: newStandardWebhookSecret,
  receiver: vapiReceiver,
  sender: (config) => createVapiSender(vapiConfig.parse(config)),
};
