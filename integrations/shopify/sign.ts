import { type HmacScheme, hmacSignature } from '../verify-signature.ts';

export const shopifyScheme: HmacScheme = { algorithm: 'sha256', encoding: 'base64' };

/**
 * The value of `X-Shopify-Hmac-SHA256` for a body.
 * @param secret - the app's client secret, or the key that the store's admin pages show
 */
export function signShopify(secret: string, raw: string | Buffer): string {
  return hmacSignature(shopifyScheme, secret, [raw]);
}
