import type { Integration } from '../port.ts';
import { createShopifyMinter } from './codes.ts';
import { shopifyOffersConfig } from './config.ts';

/** Makes the codes of offers in a Shopify shop. Its webhooks are those of `shopify`. */
export const shopifyOffers: Integration = {
  name: 'shopify-offers',
  title: 'Shopify discount codes',
  purpose: 'shop',
  config: shopifyOffersConfig,
  minter: (config) => createShopifyMinter(shopifyOffersConfig.parse(config)),
};
