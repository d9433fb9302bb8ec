import type { Integration } from '../port.ts';
import { createShopifyMinter } from './codes.ts';
import { shopifyOffersConfig } from './config.ts';

/** Makes the codes of offers in a Shopify shop. Its webhooks are those of `shopify`. */
export const shopifyOffers: Integration = {
  name: 'shopify-offers',
  title: 'Shopify discount codes',
  purpose: 'shop',
  guide: {
    before: [
      'Make an app with the scopes read_discounts and write_discounts, and install it in your shop.',
      'Enter its access token, or its client id and secret where it is an app of the Dev Dashboard.',
    ],
    after: [],
  },
  config: shopifyOffersConfig,
  minter: (config) => createShopifyMinter(shopifyOffersConfig.parse(config)),
};
