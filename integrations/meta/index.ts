import type { Integration } from '../port.ts';
import { metaConfig } from './config.ts';
import { metaReceiver } from './receive.ts';

/** Leads of Facebook's and Instagram's lead ads. */
export const meta: Integration = {
  name: 'meta',
  title: 'Meta lead ads',
  purpose: 'leads',
  config: metaConfig,
  webhookSecrets: (config) => [metaConfig.parse(config).appSecret],
  receiver: metaReceiver,
};
