import { type Command, type Row, shown, UsageError } from './command.ts';

export const telegram: Command = {
  summary: 'the bot: a one-time code for the admin chat',
  usage: `rekindle telegram admin-code    a code that the admin sends to the bot: /set_admin CODE`,
  options: {},
  takes: { 'admin-code': 0 },
  async run({ store, args: [action] }) {
    if (action !== 'admin-code') throw new UsageError('Say admin-code.');
    const data = (await store.request('POST', '/api/telegram/admin-codes')) as Row;
    return {
      data,
      lines: [`/set_admin ${shown(data['code'])}`, `Have the admin write this to the bot. It holds once, until ${shown(data['expiresAt'])}.`],
    };
  },
};
