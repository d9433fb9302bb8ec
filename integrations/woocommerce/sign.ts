import { randomBytes } from 'node:crypto';
import { type HmacScheme, hmacSignature } from '../verify-signature.ts';

export const wooCommerceScheme: HmacScheme = { algorithm: 'sha256', encoding: 'base64' };

/** Letters and digits only: WooCommerce decodes HTML entities of a secret before it signs with it. */
export function newWooCommerceSecret(): string {
  return `woo_${randomBytes(24).toString('hex')}`;
}

/** The value of `X-WC-Webhook-Signature` for a body. */
export function signWooCommerce(secret: string, raw: string | Buffer): string {
  return hmacSignature(wooCommerceScheme, secret, [raw]);
}
