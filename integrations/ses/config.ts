import { z } from 'zod';

/** A connection to Amazon SES as it is entered. */
export const sesConfig = z.strictObject({
  /** Of an IAM user who may do `ses:SendEmail` and nothing else. */
  accessKeyId: z.string().regex(/^[A-Z0-9]{16,128}$/, 'is capital letters and digits, such as AKIA…'),
  secretAccessKey: z.string().min(16).max(200),
  region: z.string().regex(/^[a-z]{2}(-[a-z0-9]+)+-\d$/, 'is no region such as eu-west-1'),
  /** Its events go to the topic. */
  configurationSet: z.string().regex(/^[\w-]{1,64}$/, 'is letters, digits, hyphens and underscores, 64 at most'),
  /** The SNS topic by which the events come: whatever another topic sends is refused. */
  topicArn: z
    .string()
    .regex(/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}(\.fifo)?$/, 'is no ARN of an SNS topic, such as arn:aws:sns:eu-west-1:…'),
  /** Tells several SES accounts of one store apart: receipts and calls in doubt belong to one of them. */
  account: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, 'is lower-case letters, digits and hyphens, 40 at most')
    .default('main'),
  /** A stand-in; absent: the region's own address. */
  baseUrl: z.url({ protocol: /^https?$/ }).optional(),
});
export type SesConfig = z.output<typeof sesConfig>;

/** Names the account in the ledger and in receipts. */
export const accountOf = (account: string): string => `ses:${account}`;

/** Tags of a message that come back with every event. */
export const accountTag = 'rekindle_account';
export const keyTag = 'rekindle_key';

/** A tag's value may hold letters, digits, hyphens and underscores only. */
export const writtenKey = (sendKey: string): string => Buffer.from(sendKey).toString('base64url');
export const readKey = (written: string): string => Buffer.from(written, 'base64url').toString();

export function sendUrl({ region, baseUrl }: SesConfig): URL {
  const base = baseUrl ?? `https://email.${region}.amazonaws.com`;
  return new URL(`${base.replace(/\/+$/, '')}/v2/email/outbound-emails`);
}
