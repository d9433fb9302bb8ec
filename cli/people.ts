import { unwrap } from '../sdk/index.ts';
import { type Command, required, UsageError } from './command.ts';

/** Accounts of people who sign in. */
export const people: Command = {
  summary: 'accounts of people who sign in (needs the installation’s key)',
  usage: `rekindle people password-link <email>    prints a link with which this person sets a new password; it opens for an hour
rekindle people remove <email>           the account, its sessions and its memberships of all stores`,
  options: {},
  example: 'rekindle people password-link ada@example.com',
  destroys: { remove: 'The person cannot sign in any more, to no store.' },
  takes: { 'password-link': 1, remove: 1 },
  async run({ installation, args: [action, what] }) {
    const body = () => ({ email: required(what, 'The email address') });
    switch (action) {
      case 'password-link': {
        const data = unwrap(await installation().people.passwordLink(body()));
        return { data, lines: [data.url, `It is shown this once, and opens until ${data.expires_at}. Be sure that it is this person who asks.`] };
      }
      case 'remove':
        unwrap(await installation().people.remove(body()));
        return { data: null, lines: ['Removed.'] };
      default:
        throw new UsageError('Say password-link or remove.');
    }
  },
};
