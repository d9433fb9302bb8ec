import type { MessageChannel } from './channel.ts';

/** A text message as it is handed to a provider. */
export interface SmsPayload {
  channel: 'sms';
  /** E.164. */
  to: string;
  /** E.164, or a name that the recipient's country allows; null: the provider's account has a sender of its own. */
  from: string | null;
  text: string;
  /** The short link in the text, unique per message, by which a sent message can be found at the provider; null: it carries none. */
  shortUrl: string | null;
  /** How many parts the text is sent and billed as. */
  segments: number;
}

export const sms: MessageChannel<SmsPayload> = {
  noun: 'text',
  address: 'phone',
  purpose: 'marketing',
  disturbs: true,
  law: 'texts',
  consentClass: 'texts',
  carriesCopy: true,
  addressOf: ({ to }) => to,
};
