import type { MessageChannel } from './channel.ts';

/** A notification as it is handed to a push service, and shown by the worker on the store's pages. */
export interface PushPayload {
  channel: 'push';
  /** The subscription of a browser, in the spelling of identities (`domain/people/push-subscription.ts`). */
  to: string;
  /** BCP 47 language of the words, and the direction in which they are read. */
  language: string;
  direction: 'ltr' | 'rtl';
  title: string;
  text: string;
  /** Where a tap leads: our own address, which counts it. */
  url: string;
}

/** A notification on the person's device, by the Web Push of their browser. */
export const push: MessageChannel<PushPayload> = {
  noun: 'notification',
  address: 'push',
  purpose: 'marketing',
  disturbs: true,
  carriesCopy: true,
  onlyReaderSees: true,
  addressOf: ({ to }) => to,
};
