import { z } from 'zod';

/** A Mailgun connection as it is entered. */
export const mailgunConfig = z.strictObject({
  apiKey: z.string().min(8).max(200),
  /** That sends, such as `mg.shop.example.com`. */
  domain: z.string().regex(/^(?=.{4,253}$)[a-z0-9-]+(\.[a-z0-9-]+)+$/i, 'is no domain'),
  /** Of the webhooks; not the key of the API. */
  signingKey: z.string().min(8).max(200),
  /** Tells several Mailgun accounts of one store apart: receipts and calls in doubt belong to one of them. */
  account: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, 'is lower-case letters, digits and hyphens, 40 at most')
    .default('main'),
  /** `https://api.eu.mailgun.net` for a domain in the European Union. */
  baseUrl: z.url({ protocol: /^https?$/ }).default('https://api.mailgun.net'),
});
export type MailgunConfig = z.output<typeof mailgunConfig>;

/** Names the account in the ledger and in receipts. */
export const accountOf = (account: string): string => `mailgun:${account}`;

/** Variables of a message that come back with every event. */
export const accountField = 'rekindle_account';
export const keyField = 'rekindle_key';

export const urlOf = ({ baseUrl, domain }: MailgunConfig, path: string): URL => new URL(`${baseUrl.replace(/\/+$/, '')}/v3/${domain}${path}`);
export const authorization = ({ apiKey }: MailgunConfig): string => `Basic ${Buffer.from(`api:${apiKey}`).toString('base64')}`;

/** An id as events write it: without its brackets. */
export const bareId = (id: string): string => id.replace(/^<|>$/g, '');
