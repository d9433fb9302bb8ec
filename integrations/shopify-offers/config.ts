import { z } from 'zod';

/** A shop in which discount codes are made, as it is entered. The token needs the scopes `read_discounts` and `write_discounts`. */
export const shopifyOffersConfig = z
  .strictObject({
    shop: z
      .string()
      .trim()
      .toLowerCase()
      .regex(/^[a-z0-9][a-z0-9-]{0,99}\.myshopify\.com$/, 'is no name like my-store.myshopify.com'),
    /** Of an app that was made in the shop's own admin pages, before 2026: it does not expire. */
    accessToken: z.string().trim().min(1, 'is empty').max(500).optional(),
    /** Of an app of the Dev Dashboard: both are exchanged for a token that lasts a day. */
    clientId: z.string().trim().min(1, 'is empty').max(200).optional(),
    clientSecret: z.string().trim().min(1, 'is empty').max(500).optional(),
    apiVersion: z
      .string()
      .regex(/^20\d\d-(01|04|07|10)$/, 'is no version like 2026-10')
      .default('2026-10'),
    /** A stand-in for the shop's own address. */
    baseUrl: z.url({ protocol: /^https?$/ }).optional(),
  })
  .refine(
    ({ accessToken, clientId, clientSecret }) =>
      accessToken === undefined ? clientId !== undefined && clientSecret !== undefined : clientId === undefined && clientSecret === undefined,
    { path: ['accessToken'], message: 'is needed, or clientId and clientSecret in its place' },
  );

export type ShopifyOffersConfig = z.output<typeof shopifyOffersConfig>;

/** Where the shop's Admin API lies, without a slash at the end. */
export const adminUrlOf = ({ baseUrl, shop }: ShopifyOffersConfig): string => `${(baseUrl ?? `https://${shop}`).replace(/\/+$/, '')}/admin`;
