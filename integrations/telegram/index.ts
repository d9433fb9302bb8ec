import type { Integration } from '../port.ts';
import { createTelegramBot } from './bot.ts';
import { telegramConfig, webhookSecretOf } from './config.ts';
import { telegramReceiver } from './receive.ts';
import { createTelegramSender } from './send.ts';

/** A store's own Telegram bot: it is written to by leads, and writes to those who have begun a chat with it. */
export const telegram: Integration = {
  name: 'telegram',
  title: 'Telegram bot',
  purpose: 'chat',
  guide: {
    before: ['In Telegram, write /newbot to @BotFather. It asks for a name and shows the token: treat it as a password.'],
    after: ['Nothing has to be entered at Telegram: Rekindle tells it the address. Write /start to your bot and see whether it answers.'],
  },
  config: telegramConfig,
  isSingle: true,
  webhookSecrets: (config) => [webhookSecretOf(telegramConfig.parse(config))],
  receiver: telegramReceiver,
  sender: (config) => createTelegramSender(telegramConfig.parse(config)),
  bot: (config) => createTelegramBot(telegramConfig.parse(config)),
};
