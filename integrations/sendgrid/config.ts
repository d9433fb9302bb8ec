import { z } from 'zod';

/** A SendGrid connection as it is entered. */
export const sendGridConfig = z.strictObject({
  apiKey: z.string().regex(/^SG\.[\w.-]{1,200}$/, 'begins with SG.'),
  /** Tells several SendGrid accounts of one store apart: receipts and calls in doubt belong to one of them. */
  account: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, 'is lower-case letters, digits and hyphens, 40 at most')
    .default('main'),
  /** `https://api.eu.sendgrid.com` for an account in the European Union. */
  baseUrl: z.url({ protocol: /^https?$/ }).default('https://api.sendgrid.com'),
});
export type SendGridConfig = z.output<typeof sendGridConfig>;

/** Names the account in the ledger and in receipts. */
export const accountOf = (account: string): string => `sendgrid:${account}`;

/** The argument of a message by which its receipts name the account. */
export const accountArgument = 'rekindle_account';
