import type { Integration } from '../port.ts';
import { wooCommerceReceiver } from './receive.ts';
import { newWooCommerceSecret } from './sign.ts';

/** A WooCommerce shop: its own webhooks for orders and customers, and carts by the plugin of `snippet/`. */
export const wooCommerce: Integration = {
  name: 'woocommerce',
  title: 'WooCommerce',
  purpose: 'shop',
  guide: {
    before: [],
    after: [
      'In your shop, under WooCommerce, Settings, Advanced, Webhooks, add one with this address and secret for each of: Order created, Order updated, Order restored, Order deleted, Customer created, Customer updated, Product created, Product updated.',
      'Carts before the checkout need the plugin that comes with Rekindle.',
    ],
  },
  newSecret: newWooCommerceSecret,
  // 128 random bits, which the plugin keeps in the visitor's session.
  secretKeys: ['external'],
  receiver: wooCommerceReceiver,
};
