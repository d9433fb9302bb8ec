import type { MessageChannel } from './channel.ts';

/** A message by WhatsApp as it is handed to a provider. */
export interface WhatsappPayload {
  channel: 'whatsapp';
  /** E.164. */
  to: string;
  message:
    | { form: 'text'; text: string }
    /** `language`: as the template has it at the provider, such as `en_US`. `parameters`: of its body, in their order. */
    | { form: 'template'; name: string; language: string; parameters: string[] };
}

/** A message by WhatsApp. Consent and hours are those of text messages. */
export const whatsapp: MessageChannel<WhatsappPayload> = {
  noun: 'WhatsApp message',
  address: 'phone',
  purpose: 'marketing',
  disturbs: true,
  law: 'texts',
  consentClass: 'texts',
  carriesCopy: true,
  addressOf: ({ to }) => to,
};

/** The forms in which a message may go out: free text inside the service window only, an approved template at any time. */
export type WhatsappForm = WhatsappPayload['message']['form'];

// Ten minutes less than the provider's own, so that a message that leaves late still arrives inside.
// Source: developers.facebook.com/docs/whatsapp/cloud-api/guides/send-messages#customer-service-windows
const serviceWindowMs = 24 * 3_600_000 - 10 * 60_000;

/**
 * Whether free text may be sent. Epoch milliseconds.
 * @param lastInboundMs - when the person last wrote by WhatsApp; null: never, as far as is known
 */
export function isInServiceWindow(lastInboundMs: number | null, nowMs: number): boolean {
  return lastInboundMs !== null && nowMs < lastInboundMs + serviceWindowMs;
}
