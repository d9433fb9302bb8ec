import type { ProvisionedTenant } from '../../operations/provision-tenant.ts';

/** The stores of a run, each a tenant of its own: one reports everything by its own system, the other carts and orders by Shopify. */
export const stores = ['own', 'shopify'] as const;
export type Store = (typeof stores)[number];

export const otherStore = (store: Store): Store => (store === 'own' ? 'shopify' : 'own');

/** What a store was given when it was made a tenant. */
export interface StoreAccess {
  tenantId: string;
  apiKey: string;
  webhooks: ProvisionedTenant['webhooks'];
}

/** Whom its emails come from: by that the observer tells whose they are. */
export const senderOf = (store: Store) => `hello@${store}.example.com`;
