import type { MessageChannel } from './channel.ts';

/** An email as it is handed to a provider. */
export interface EmailPayload {
  channel: 'email';
  /** Deterministic, from the send key, e.g. `<…@mail.example.com>`. */
  messageId: string;
  from: { name: string; address: string };
  replyTo: string | null;
  to: { name: string | null; address: string };
  subject: string;
  html: string;
  text: string;
  /** Absolute URL for RFC 8058; the sender writes both headers, unfolded. null: to a colleague of the store, who has subscribed to nothing. */
  unsubscribeUrl: string | null;
  /** Epoch milliseconds for the Date header. */
  dateMs: number;
}

export const email: MessageChannel<EmailPayload> = {
  noun: 'email',
  address: 'email',
  purpose: 'marketing',
  disturbs: true,
  consentClass: 'emails',
  carriesCopy: true,
  tellsOpens: true,
  addressOf: ({ to }) => to.address,
};
