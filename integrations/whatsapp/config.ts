import { z } from 'zod';

/** The Graph API's version. Meta keeps one for two years; a newer one is set here, after its changelog was read. */
const apiVersion = 'v26.0';

/** A connection to the WhatsApp Cloud API as it is entered: one app, and one telephone number. */
export const whatsappConfig = z.strictObject({
  /** Of the number at Meta, not the number itself. */
  phoneNumberId: z.string().regex(/^\d{5,40}$/, 'is the id that Meta shows beside the number: digits only'),
  /** Of a system user, with `whatsapp_business_messaging`. */
  accessToken: z.string().min(1).max(1_000),
  /** Signs the notifications. */
  appSecret: z.string().min(1).max(200),
  /** Chosen by you and entered in the app's webhook settings: Meta names it when it checks the address. */
  verifyToken: z.string().min(8).max(200),
  /** A stand-in for the Graph API. */
  baseUrl: z.url({ protocol: /^https?$/ }).default('https://graph.facebook.com'),
});
export type WhatsappConfig = z.output<typeof whatsappConfig>;

/** Names the account in the ledger and in receipts: the number that sends. */
export const accountOf = (phoneNumberId: string): string => `whatsapp:${phoneNumberId}`;

export const messagesUrl = ({ baseUrl, phoneNumberId }: WhatsappConfig): URL =>
  new URL(`${baseUrl.replace(/\/+$/, '')}/${apiVersion}/${phoneNumberId}/messages`);
