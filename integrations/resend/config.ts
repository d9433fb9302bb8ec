import { z } from 'zod';

/** A Resend connection as it is entered. */
export const resendConfig = z.strictObject({
  apiKey: z.string().regex(/^re_[\w-]{1,200}$/, 'begins with re_'),
  /** Tells several Resend accounts of one store apart: receipts and calls in doubt belong to one of them. */
  account: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, 'is lower-case letters, digits and hyphens, 40 at most')
    .default('main'),
  baseUrl: z.url({ protocol: /^https?$/ }).default('https://api.resend.com'),
});
export type ResendConfig = z.output<typeof resendConfig>;

/** Names the account in the ledger and in receipts. */
export const accountOf = (account: string): string => `resend:${account}`;

/** The tag of a message by which its receipts name the account. */
export const accountTag = 'rekindle_account';
