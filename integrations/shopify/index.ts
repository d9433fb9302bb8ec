import type { Integration } from '../port.ts';
import { shopifyReceiver } from './receive.ts';

/** The secret is Shopify's own: the app's client secret, or the key that the store's admin pages show. */
export const shopify: Integration = {
  name: 'shopify',
  title: 'Shopify',
  purpose: 'shop',
  guide: {
    before: ['In Shopify’s admin, open Settings, Notifications, Webhooks. The secret stands below the list.'],
    secret: 'In Shopify’s admin under Settings, Notifications, Webhooks: it stands below the list.',
    after: [
      'In Shopify’s admin, under Settings, Notifications, Webhooks, create one with this address, format JSON, for each of: Checkout creation, Checkout update, Order creation, Order payment, Order update, Order cancellation, Refund create, Customer update, Product update.',
    ],
  },
  secretKeys: ['cart_token', 'checkout_token'],
  receiver: shopifyReceiver,
};
