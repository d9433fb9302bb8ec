import { roleNames } from '../domain/access/permissions.ts';
import { unwrap } from '../sdk/index.ts';
import { collect, type Command, required, type Row, shown, UsageError, sorted, sortOption } from './command.ts';

const when = (label: string, value: unknown) => (value === null ? '' : `, ${label} ${shown(value)}`);
const line = (row: Row) => {
  const use = row['last_used_at'] === null ? ', never used' : when('used', row['last_used_at']);
  const end = row['revoked_at'] === null ? when('until', row['expires_at']) : when('revoked', row['revoked_at']);
  return `${shown(row['id'])}  ${row['prefix'] === null ? '' : `${shown(row['prefix'])}…  `}${shown(row['role']).padEnd(6)}  ${shown(row['name'])}${use}${end}`;
};

/** Who may use the API for the store, and for what. */
export const keys: Command = {
  summary: 'the store’s API keys: issue, rotate, revoke',
  usage: `rekindle keys                                                     all of them, revoked ones too
rekindle keys issue <name> [--role <role>] [--expires <date>] [--per-minute <requests>]
                                                                  viewer, agent, editor, admin or owner, the default
rekindle keys rotate <id> [--overlap-hours <hours>]               another of the same role; the old one stays valid for a day, or as long as you say
rekindle keys revoke <id>                                         it opens nothing from now on

rekindle keys master                                              what is sealed under which master key (the installation's key)
rekindle keys rotate-master                                       seal everything anew under the present master key, and say when the old one may go

A key is shown once. It needs the role owner.`,
  options: {
    ...sortOption,
    role: { type: 'string' },
    expires: { type: 'string' },
    'per-minute': { type: 'string' },
    'overlap-hours': { type: 'string' },
  },
  destroys: { revoke: 'Programs with this key are refused at once.' },
  example: 'rekindle keys issue "The till" --role agent',
  takes: { issue: 1, rotate: 1, revoke: 1, master: 0, 'rotate-master': 0 },
  async run({ store, installation, args: [action, what], options }) {
    switch (action) {
      case undefined: {
        const data = await collect(store.keys.all(sorted(options)));
        return { data, lines: data.map(line) };
      }
      case 'issue': {
        const role = roleNames.find((name) => name === (options['role'] ?? 'owner'));
        if (role === undefined) throw new UsageError(`--role is one of ${roleNames.join(', ')}.`);
        const expires = options['expires'] === undefined ? {} : { expires_at: dateOf(String(options['expires'])) };
        const perMinute = options['per-minute'] === undefined ? null : Number(options['per-minute']);
        if (perMinute !== null && !(perMinute >= 1)) throw new UsageError('--per-minute is a number of requests, such as 600.');
        const most = perMinute === null ? {} : { requests_per_minute: perMinute };
        const data = unwrap(await store.keys.create({ name: required(what, 'The name of the key'), role, ...expires, ...most }));
        return { data, lines: [`${data.api_key}`, 'It is shown this once.'] };
      }
      case 'rotate': {
        const hours = options['overlap-hours'] === undefined ? 24 : Number(options['overlap-hours']);
        if (!(hours >= 0)) throw new UsageError('--overlap-hours is a number of hours, such as 24, or 0.');
        const data = unwrap(await store.keys.rotate(required(what, 'The id of the key'), { overlap_hours: hours }));
        return { data, lines: [`${data.api_key}`, `It is shown this once. The old key is valid until ${data.old_valid_until}.`] };
      }
      case 'revoke': {
        const id = required(what, 'The id of the key');
        unwrap(await store.keys.revoke(id));
        return { data: { id, revoked: true }, lines: ['The key opens nothing any more.'] };
      }
      case 'master': {
        const data = unwrap(await installation().masterKey.status());
        return { data, lines: masterLines(data) };
      }
      case 'rotate-master': {
        const client = installation().masterKey;
        let done = unwrap(await client.reseal());
        let resealed = done.resealed;
        while (!done.finished) {
          done = unwrap(await client.reseal());
          resealed += done.resealed;
        }
        return { data: { ...done, resealed }, lines: [`${resealed} texts were sealed anew.`, ...masterLines(done.status)] };
      }
      default:
        throw new UsageError('Say issue, rotate, revoke, master or rotate-master, or nothing for the list.');
    }
  },
};

function dateOf(text: string): string {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new UsageError('--expires is a date, such as 2027-01-31 or 2027-01-31T12:00:00Z.');
  return new Date(ms).toISOString();
}

interface MasterKeys {
  current: string;
  sealed: Record<string, number>;
  may_go: string[];
}

function masterLines({ current, sealed, may_go: mayGo }: MasterKeys): string[] {
  const others = Object.entries(sealed).filter(([id]) => id !== current);
  return [
    `${current} seals, and has sealed ${sealed[current] ?? 0} texts.`,
    ...others.map(([id, n]) =>
      id === 'unknown' ? `${n} texts are sealed under a key that is not configured.` : `${n} texts are still sealed under ${id}.`,
    ),
    ...mayGo.map(
      (id) =>
        `Nothing is sealed under ${id}. If it is the new key, exchange the two; if it is the old one, nothing needs it any more: take it out of REKINDLE_OTHER_MASTER_KEYS once every process has ${current} as REKINDLE_MASTER_KEY.`,
    ),
  ];
}
