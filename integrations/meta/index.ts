import type { Integration } from '../port.ts';
import { metaConfig } from './config.ts';
import { metaReceiver } from './receive.ts';

/** Leads of Facebook's and Instagram's lead ads. */
export const meta: Integration = {
  name: 'meta',
  title: 'Meta lead ads',
  purpose: 'leads',
  guide: {
    before: [
      'At developers.facebook.com, open your app. The app secret stands under App settings, Basic.',
      'Think of a verify token, eight characters at least: Meta names it when it checks the address.',
      'The page access token needs leads_retrieval; without it only leads arrive whose notification carries their fields.',
    ],
    after: [
      'In the app, under Webhooks, Page, enter the address and the verify token, and subscribe to leadgen.',
      'Subscribe your page to the app, too: otherwise nothing arrives.',
    ],
  },
  config: metaConfig,
  webhookSecrets: (config) => [metaConfig.parse(config).appSecret],
  receiver: metaReceiver,
};
