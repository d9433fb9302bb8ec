import type { Integration } from '../port.ts';
import { shopifyReceiver } from './receive.ts';

/** The secret is Shopify's own: the app's client secret, or the key that the store's admin pages show. */
export const shopify: Integration = {
  name: 'shopify',
  title: 'Shopify',
  purpose: 'shop',
  secretKeys: ['cart_token', 'checkout_token'],
  receiver: shopifyReceiver,
};
