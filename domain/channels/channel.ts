import type { ConsentClass } from '../law/consent-law.ts';

/** The kinds of address that a channel may need, as identities are stored. */
export type AddressKind = 'email' | 'phone' | 'telegram' | 'push' | 'visitor' | 'external';

/** What the rules need to know about a channel. */
export interface ChannelTraits {
  /** What people call a message on it: `text` gives "Text 2", "3 texts". */
  noun: string;
  /** The kind of identity that messages go to, under which the address is also hashed; null: it needs none. */
  address: AddressKind | null;
  /** A second kind that will do where there is none of the first; absent: none does. */
  orAddress?: AddressKind;
  purpose: 'marketing' | 'internal';
  /**
   * It reaches people wherever they are, so quiet hours, the wait for a person who is active, and the gap between sends apply to it; a pop-up
   * on the page or a task for a colleague disturbs nobody.
   */
  disturbs: boolean;
  /** The hours that the law has for it, where it has any (`domain/law/legal-hours.ts`). */
  law?: 'texts' | 'calls';
  /** What the law asks consent for, where it asks (`domain/law/consent-law.ts`). */
  consentClass?: ConsentClass;
  /** The channel whose statements of consent hold for it as well; absent: its own. */
  consentOf?: 'sms';
  /** An opt-out or a complaint on any channel closes it too. */
  closedByAny?: true;
  /** Steps on this channel have a text in the sequence's copy. */
  carriesCopy: boolean;
  /** No scanner sees a message on its way, so a click on its link is the recipient's. */
  onlyReaderSees?: true;
  /** Its messages report by themselves that they were opened; on other channels only a click shows it. */
  tellsOpens?: true;
}

/**
 * A channel whose messages leave through a provider.
 * @typeParam P - the message as it is handed to the provider, pinned in the ledger before the call: a replay sends these very bytes
 */
export interface MessageChannel<P extends { channel: string }> extends ChannelTraits {
  /** The address that a payload goes to, in the spelling of identities; null: it goes to no address of the person. */
  addressOf(payload: P): string | null;
}
