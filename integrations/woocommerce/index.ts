import type { Integration } from '../port.ts';
import { wooCommerceReceiver } from './receive.ts';
import { newWooCommerceSecret } from './sign.ts';

/** A WooCommerce shop: its own webhooks for orders and customers, and carts by the plugin of `snippet/`. */
export const wooCommerce: Integration = {
  name: 'woocommerce',
  title: 'WooCommerce',
  purpose: 'shop',
  newSecret: newWooCommerceSecret,
  // 128 random bits, which the plugin keeps in the visitor's session.
  secretKeys: ['external'],
  receiver: wooCommerceReceiver,
};
