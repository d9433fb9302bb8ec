import type { Integration } from '../port.ts';
import { onsiteConfig } from './config.ts';
import { createOnsiteSender } from './send.ts';

/** Pop-ups on the store's own pages. The provider is our own database: a page view takes them from there. */
export const onsite: Integration = {
  name: 'onsite',
  title: 'Pop-up on your site',
  purpose: 'site',
  config: onsiteConfig,
  sender(config, { popups }) {
    onsiteConfig.parse(config);
    return createOnsiteSender(popups);
  },
};
