import { unwrap } from '../sdk/index.ts';
import { type Command, UsageError } from './command.ts';

export const telegram: Command = {
  summary: 'the bot: a one-time code for the admin chat',
  usage: `rekindle telegram admin-code    a code that the admin sends to the bot: /set_admin CODE`,
  options: {},
  example: 'rekindle telegram admin-code',
  takes: { 'admin-code': 0 },
  async run({ store, args: [action] }) {
    if (action !== 'admin-code') throw new UsageError('Say admin-code.');
    const data = unwrap(await store.telegram.createAdminCode());
    return {
      data,
      lines: [`/set_admin ${data.code}`, `Have the admin write this to the bot. It holds once, until ${data.expiresAt}.`],
    };
  },
};
