import type { ProvisionedTenant } from '../../operations/provision-tenant.ts';

/**
 * The stores of a run, each a tenant of its own: one reports everything by its own system, one its carts and orders by Shopify, and one has leads, which
 * it writes to, texts and calls.
 */
export const stores = ['own', 'shopify', 'leads'] as const;
export type Store = (typeof stores)[number];

/** The channels that are connected: steps of others are left out. */
export const channelsOf: Record<Store, readonly string[]> = { own: ['email'], shopify: ['email'], leads: ['email', 'sms', 'call'] };

const others = { own: ['shopify', 'leads'], shopify: ['own', 'leads'], leads: ['own', 'shopify'] } as const satisfies Record<Store, readonly Store[]>;
export const otherStores = (store: Store) => others[store];

/** What a store was given when it was made a tenant. */
export interface StoreAccess {
  tenantId: string;
  apiKey: string;
  webhooks: ProvisionedTenant['webhooks'];
}

/** What the store with leads has besides. */
export interface LeadAccess {
  /** Where the text provider reports, and the token by which it signs. `url`: as it is signed; `path`: of it. */
  texts: { url: string; path: string; authToken: string };
  /** Where the provider of calls reports. */
  calls: { path: string; secret: string };
  /** Where the tracker reports sales: the address is its secret. */
  tracker: { path: string };
}

/** Whom its emails come from: by that the observer tells whose they are. */
export const senderOf = (store: Store) => `hello@${store}.example.com`;

/** The number that the texts of the store with leads come from, and how it logs in at the providers of texts and calls. */
export const leadLine = { from: '+12025550100', accountSid: `AC${'0'.repeat(31)}1`, authToken: 'a'.repeat(32), callKey: 'key-of-the-soak' } as const;

/** Seven days of a lead take about as long as the three days of a cart: everything is over at one time. */
export const leadPace = 2.5;
