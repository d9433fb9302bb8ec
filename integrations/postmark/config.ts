import { createHash } from 'node:crypto';
import { z } from 'zod';

/** A Postmark connection as it is entered. */
export const postmarkConfig = z.strictObject({
  /** Of the server, not of the account. */
  serverToken: z.string().regex(/^[\w-]{8,100}$/, 'is no token of a server'),
  /** A stream for broadcasts: Postmark takes no marketing on a transactional one. */
  messageStream: z
    .string()
    .regex(/^[a-z0-9-]{1,50}$/, 'is no id of a message stream')
    .default('broadcast'),
  /** Tells several Postmark servers of one store apart: receipts and calls in doubt belong to one of them. */
  account: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, 'is lower-case letters, digits and hyphens, 40 at most')
    .default('main'),
  baseUrl: z.url({ protocol: /^https?$/ }).default('https://api.postmarkapp.com'),
});
export type PostmarkConfig = z.output<typeof postmarkConfig>;

/** Names the account in the ledger and in receipts. */
export const accountOf = (account: string): string => `postmark:${account}`;

/** Members of the metadata that come back with every receipt. */
export const accountField = 'rekindle_account';
export const keyField = 'rekindle_key';

/** Metadata have 80 characters at most. */
export const keyValue = (sendKey: string): string => (sendKey.length <= 80 ? sendKey : createHash('sha256').update(sendKey).digest('hex'));

export const urlOf = ({ baseUrl }: PostmarkConfig, path: string): URL => new URL(`${baseUrl.replace(/\/+$/, '')}${path}`);
