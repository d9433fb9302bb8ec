import type { MessageChannel } from './channel.ts';

/** A pop-up as it is put down for the next page view. Plain text throughout: the page's script makes elements of it. */
export interface OnsitePayload {
  channel: 'onsite';
  /** BCP 47 language of the words, and the direction in which they are read. */
  language: string;
  direction: 'ltr' | 'rtl';
  heading: string;
  text: string;
  /** The words of the link back, and where it leads: our own address, which counts the click. */
  cta: string;
  url: string;
  /** The words of the button that closes it. */
  close: string;
  /** Says that all of this is a demo; null: it is none. */
  label: string | null;
}

/**
 * A pop-up at the next page view of the browser that holds the subject's token. Its address is the subject itself: what was left in one browser is
 * shown in no other, though one person may have both.
 */
export const onsite: MessageChannel<OnsitePayload> = {
  noun: 'pop-up',
  address: 'visitor',
  purpose: 'marketing',
  disturbs: false,
  carriesCopy: true,
  onlyReaderSees: true,
  // Who it is for is read from the ledger, not from the message.
  addressOf: () => null,
};
