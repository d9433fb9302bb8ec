import { roleNames } from '../domain/access/permissions.ts';
import { unwrap } from '../sdk/index.ts';
import { collect, type Command, required, type Row, shown, UsageError } from './command.ts';

const roleOf = (text: unknown) => {
  const role = roleNames.find((name) => name === text);
  if (role === undefined) throw new UsageError(`The role is one of ${roleNames.join(', ')}.`);
  return role;
};
const line = (row: Row) => `${shown(row['id'])}  ${shown(row['role']).padEnd(6)}  ${shown(row['email'])}  ${shown(row['name'])}`;
const invited = (row: Row) => {
  const state = row['accepted_at'] !== null ? 'accepted' : row['revoked_at'] !== null ? 'revoked' : `until ${shown(row['expires_at'])}`;
  return `${shown(row['id'])}  ${shown(row['role']).padEnd(6)}  ${shown(row['email'])}  ${state}`;
};

const sentLine = ({ state, detail }: { state: string; detail: string | null }) =>
  state === 'sent'
    ? 'It was sent to them by email.'
    : state === 'failed'
      ? `It could not be sent (${detail ?? 'no reason is known'}): hand it over.`
      : 'Nothing sends emails here (connect an account for emails, or set REKINDLE_MAIL_FROM): hand it over.';

/** People who may come into the store. */
export const members: Command = {
  summary: 'people who may come into the store: invite, change, remove',
  usage: `rekindle members                          list them
rekindle members invite <email> <role>    sends the link to this person, and prints it; it opens for a week
rekindle members invitations              those that were made
rekindle members uninvite <id>            the link opens nothing any more
rekindle members role <id> <role>         viewer, agent, editor, admin or owner
rekindle members remove <id>

It needs the role owner.`,
  options: {},
  example: 'rekindle members invite ada@example.com editor',
  destroys: { remove: 'The person cannot come into the store any more.' },
  takes: { invite: 2, invitations: 0, uninvite: 1, role: 2, remove: 1 },
  async run({ store, args: [action, what, role] }) {
    const id = () => required(what, 'The id');
    switch (action) {
      case undefined: {
        const data = await collect(store.members.all());
        return { data, lines: data.map(line) };
      }
      case 'invite': {
        const data = unwrap(await store.invitations.create({ email: required(what, 'The email address'), role: roleOf(role) }));
        return { data, lines: [data.url, `It is shown this once, and opens until ${data.expires_at}.`, sentLine(data.email)] };
      }
      case 'invitations': {
        const data = await collect(store.invitations.all());
        return { data, lines: data.map(invited) };
      }
      case 'uninvite':
        unwrap(await store.invitations.revoke(id()));
        return { data: null, lines: ['The link opens nothing any more.'] };
      case 'role':
        unwrap(await store.members.update(id(), { role: roleOf(role) }));
        return { data: null, lines: ['Changed.'] };
      case 'remove':
        unwrap(await store.members.remove(id()));
        return { data: null, lines: ['Removed.'] };
      default:
        throw new UsageError('Say invite, invitations, uninvite, role or remove, or nothing for the list.');
    }
  },
};
