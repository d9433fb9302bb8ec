import type { Integration } from '../port.ts';
import { onsiteConfig } from './config.ts';
import { createOnsiteSender } from './send.ts';

/** Pop-ups on the store's own pages. The provider is our own database: a page view takes them from there. */
export const onsite: Integration = {
  name: 'onsite',
  title: 'Pop-up on your site',
  purpose: 'site',
  guide: {
    before: ['Enter where your pages are, without a path, such as https://shop.example.com. The script is answered there and nowhere else.'],
    after: ['Put the script that the documentation shows into your pages, with the id of this connection as its key.'],
  },
  config: onsiteConfig,
  sender(config, { popups }) {
    onsiteConfig.parse(config);
    return createOnsiteSender(popups);
  },
};
