import type { MessageChannel } from './channel.ts';

/** A button below a message: pressed, it reports `value` to the bot, or it opens `url`. */
export type ChatButton = { text: string } & ({ value: string } | { url: string });

/** A message in a Telegram chat as it is handed to a provider. */
export interface TelegramPayload {
  channel: 'telegram';
  /** The id of the private chat, as digits. */
  to: string;
  /** Plain text: nothing in it is markup. */
  text: string;
  /** Row by row; empty: none. */
  buttons: ChatButton[][];
}

/** A message in a Telegram chat. The person has begun the chat themselves, so that no law asks more than their not having stopped it. */
export const telegram: MessageChannel<TelegramPayload> = {
  noun: 'chat message',
  address: 'telegram',
  purpose: 'marketing',
  disturbs: true,
  carriesCopy: true,
  addressOf: ({ to }) => to,
};
