import { createHmac } from 'node:crypto';
import { z } from 'zod';

/** A Telegram bot as it is entered. */
export const telegramConfig = z.strictObject({
  /** As BotFather shows it. Treat it as a password: its holder can act as the bot. */
  token: z
    .string()
    .regex(/^\d{5,20}:[A-Za-z0-9_-]{20,100}$/, 'is no token of a bot: copy it from BotFather, digits, a colon and about 35 characters'),
  /**
   * How updates come. `webhook`: Telegram delivers to our public address. `polling`: we ask. Left out: by webhook where the public address can be
   * reached from outside, else by polling.
   */
  updates: z.enum(['webhook', 'polling']).optional(),
  /** A Bot API server of your own, or a stand-in. */
  baseUrl: z.url({ protocol: /^https?$/ }).default('https://api.telegram.org'),
});
export type TelegramConfig = z.output<typeof telegramConfig>;

/** Names the bot in the ledger: its id, which the token begins with. */
export const accountOf = (config: Pick<TelegramConfig, 'token'>): string => `telegram:${botIdOf(config)}`;

export const botIdOf = ({ token }: Pick<TelegramConfig, 'token'>): string => token.split(':', 1)[0] ?? '';

/** Where a method is called. The address holds the token: it belongs in no log. */
export const methodUrl = ({ baseUrl, token }: Pick<TelegramConfig, 'baseUrl' | 'token'>, method: string): URL =>
  new URL(`${baseUrl.replace(/\/+$/, '')}/bot${token}/${method}`);

/** What Telegram sends with each delivery: the bot's id, and what only follows from its token. A new token brings a new one. */
export const webhookSecretOf = ({ token }: Pick<TelegramConfig, 'token'>): string =>
  `${botIdOf({ token })}_${createHmac('sha256', token).update('rekindle webhook').digest('base64url')}`;

/** The updates that we act on. Telegram leaves `my_chat_member` out unless it is named. */
export const allowedUpdates = ['message', 'edited_message', 'callback_query', 'my_chat_member'] as const;
