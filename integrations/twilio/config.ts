import { z } from 'zod';

/** A Twilio connection as it is entered. */
export const twilioConfig = z
  .strictObject({
    accountSid: z.string().regex(/^AC[0-9a-fA-F]{32}$/, 'begins with AC and has 34 characters'),
    /** The primary one: it signs the webhooks, and is what we log in with where there is no API key. */
    authToken: z.string().min(1).max(200),
    apiKey: z
      .strictObject({ sid: z.string().regex(/^SK[0-9a-fA-F]{32}$/, 'begins with SK and has 34 characters'), secret: z.string().min(1).max(200) })
      .optional(),
    /** A number in E.164, a short code, or a name that the recipients' countries allow. */
    from: z
      .string()
      .regex(/^(\+[1-9]\d{6,14}|\d{3,8}|[A-Za-z0-9 +&_-]{1,11})$/, 'is no number in E.164, no short code and no sender name')
      .optional(),
    messagingServiceSid: z
      .string()
      .regex(/^MG[0-9a-fA-F]{32}$/, 'begins with MG and has 34 characters')
      .optional(),
    /** Another region of Twilio's, or a stand-in. */
    baseUrl: z.url({ protocol: /^https?$/ }).default('https://api.twilio.com'),
  })
  .refine(({ from, messagingServiceSid }) => (from === undefined) !== (messagingServiceSid === undefined), {
    message: 'Name either `from` or `messagingServiceSid`: texts leave by one of them.',
  });

export type TwilioConfig = z.output<typeof twilioConfig>;

/** Names the account in the ledger and in receipts. */
export function accountOf(accountSid: string): string {
  return `twilio:${accountSid}`;
}

/** Where the account's messages are. */
export function messagesUrl({ baseUrl, accountSid }: TwilioConfig): URL {
  return new URL(`${baseUrl.replace(/\/+$/, '')}/2010-04-01/Accounts/${accountSid}/Messages.json`);
}

/** The value of `Authorization`. */
export function authorization({ accountSid, authToken, apiKey }: TwilioConfig): string {
  const login = apiKey === undefined ? `${accountSid}:${authToken}` : `${apiKey.sid}:${apiKey.secret}`;
  return `Basic ${Buffer.from(login).toString('base64')}`;
}
