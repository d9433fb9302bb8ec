import type { Integration } from '../port.ts';
import { webPushConfig, withKeys } from './config.ts';
import { createWebPushSender } from './send.ts';

/** Notifications in browsers that allowed them, sent through each browser's push service. */
export const webPush: Integration = {
  name: 'web-push',
  title: 'Notifications in the browser',
  purpose: 'site',
  guide: {
    before: ['Enter whom a push service may write to, such as mailto:push@example.com. Leave the keys out: a pair is made here, and it stays.'],
    after: ['Put the worker’s file on your site and name it in the script of the pop-ups. The documentation has both.'],
  },
  config: webPushConfig,
  complete: withKeys,
  // Subscriptions are bound to one pair of keys, and pages subscribe with one.
  isSingle: true,
  sender: (config) => createWebPushSender(webPushConfig.parse(config)),
};
