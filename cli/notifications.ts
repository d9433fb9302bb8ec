import { readFile } from 'node:fs/promises';
import { unwrap } from '../sdk/index.ts';
import { asGiven, collect, type Command, NotPossibleError, required, type Row, shown, sorted, sortOption, UsageError } from './command.ts';
import { unreadable } from './unreadable.ts';

const lineOf = (row: Row) => {
  const uses = (row['uses'] as Row[]).map(({ action, by }) => `${shown(action)} by ${shown(by)}`).join(', ');
  return `${shown(row['id'])}  ${shown(row['created_at'])}  ${shown(row['channel'])}  ${shown(row['owner'])}  ${shown(row['state'])}  task ${shown(row['task'])}  ${shown(row['response'])}${uses === '' ? '' : `  ${uses}`}`;
};
const targetLine = (row: Row) => {
  const kinds = row['kinds'] as string[];
  return `${shown(row['id'])}  ${shown(row['channel'])}  ${shown(row['address'])}  ${row['owner'] === null ? 'tasks of anybody’s' : `tasks of ${shown(row['owner'])}`}  ${kinds.length === 0 ? 'every kind' : kinds.join(', ')}`;
};

/** How owners are notified of their tasks. */
export const notifications: Command = {
  summary: 'how owners are told of their tasks: where, what it says, and what became of it',
  usage: `rekindle notifications [--task ID] [--state STATE] [--sort FIELD]   what owners were told, the latest first
rekindle notifications targets                              where they are told
rekindle notifications add <channel> <address> [--owner NAME] [--kind KIND …]
rekindle notifications change <id> [--address ADDRESS] [--owner NAME] [--kind KIND …]
rekindle notifications check <id>                           send a test there
rekindle notifications remove <id>
rekindle notifications templates                            what they say, by kind and channel
rekindle notifications write <kind> <channel> --file FILE [--subject TEXT]
rekindle notifications reset <kind> <channel>               back to the usual text
rekindle notifications preview <channel> [--kind KIND] [--task ID] [--file FILE] [--subject TEXT]
rekindle notifications resume <id> | drop <id>              one that is parked

Channels: email, sms, telegram, slack (address: its incoming webhook), webhook. Without --owner, a target is told of tasks that are anybody’s.
Texts are Liquid; docs/notifications.md lists the variables. The kind '*' stands for every kind without a text of its own.`,
  example: 'rekindle notifications add email mia@example.com --owner Mia',
  destroys: { remove: 'Nobody is told there any more, and what waits for it is dropped.' },
  options: {
    ...sortOption,
    task: { type: 'string' },
    state: { type: 'string' },
    owner: { type: 'string' },
    kind: { type: 'string', multiple: true },
    address: { type: 'string' },
    file: { type: 'string' },
    subject: { type: 'string' },
  },
  takes: { list: 0, targets: 0, add: 2, change: 1, check: 1, remove: 1, templates: 0, write: 2, reset: 2, preview: 1, resume: 1, drop: 1 },
  async run({ store, args: [action = 'list', first, second], options }) {
    const kinds = Array.isArray(options['kind']) ? options['kind'] : undefined;
    const { task, state, owner, address, subject } = options;
    switch (action) {
      case 'list': {
        const search = { ...(task === undefined ? {} : { task }), ...(state === undefined ? {} : { state }) };
        const data = await collect(store.notifications.all(asGiven({ ...search, ...sorted(options) })));
        return { data, lines: data.length === 0 ? ['Nobody was told of a task.'] : data.map(lineOf) };
      }
      case 'targets': {
        const data = await collect(store.notifications.allTargets(sorted(options)));
        const none = 'Nobody is told of tasks: rekindle notifications add <channel> <address> --owner NAME';
        return { data, lines: data.length === 0 ? [none] : data.map(targetLine) };
      }
      case 'add': {
        const wish = { channel: required(first, 'The channel'), address: required(second, 'The address'), ...(owner === undefined ? {} : { owner }) };
        const data = unwrap(await store.notifications.createTarget(asGiven({ ...wish, ...(kinds === undefined ? {} : { kinds }) })));
        return { data, lines: [targetLine(data), ...(data.secret === null ? [] : [data.secret, 'The secret is shown this once.'])] };
      }
      case 'change': {
        const wish = {
          ...(address === undefined ? {} : { address }),
          ...(owner === undefined ? {} : { owner }),
          ...(kinds === undefined ? {} : { kinds }),
        };
        if (Object.keys(wish).length === 0) throw new UsageError('Say what is to change: --address, --owner or --kind.');
        const data = unwrap(await store.notifications.updateTarget(required(first, 'The id of the target'), asGiven(wish)));
        return { data, lines: [targetLine(data)] };
      }
      case 'check': {
        const data = unwrap(await store.notifications.checkTarget(required(first, 'The id of the target')));
        return { data, lines: [`${data.outcome}: ${data.detail}`] };
      }
      case 'remove': {
        const data = unwrap(await store.notifications.removeTarget(required(first, 'The id of the target')));
        return { data, lines: ['Removed.'] };
      }
      case 'templates': {
        const data = unwrap(await store.notifications.templates());
        return {
          data,
          lines: data.templates.map(
            (one) => `${one.kind}  ${one.channel}  ${one.own ? 'your own' : 'the usual'}  ${one.subject ?? shown(one.body.split('\n')[0])}`,
          ),
        };
      }
      case 'write': {
        const text = { subject: subject ?? null, body: await read(required(options['file'], '--file')) };
        const path = [required(first, 'The kind'), required(second, 'The channel')] as const;
        const data = unwrap(await store.notifications.putTemplate(path[0], asGiven(path[1]), asGiven(text)));
        return { data, lines: [`Stored for ${data.kind} by ${data.channel}.`] };
      }
      case 'reset': {
        const data = unwrap(await store.notifications.removeTemplate(required(first, 'The kind'), asGiven(required(second, 'The channel'))));
        return { data, lines: ['The usual text is used again.'] };
      }
      case 'preview': {
        const text = options['file'] === undefined ? null : { subject: subject ?? null, body: await read(required(options['file'], '--file')) };
        const wish = {
          channel: required(first, 'The channel'),
          text,
          ...(task === undefined ? {} : { task }),
          ...(kinds?.[0] === undefined ? {} : { kind: kinds[0] }),
        };
        const data = unwrap(await store.notifications.preview(asGiven(wish)));
        return { data, lines: [...(data.subject === null ? [] : [data.subject, '']), ...data.body.split('\n')] };
      }
      case 'resume': {
        const data = unwrap(await store.notifications.resume(required(first, 'The id of the notification')));
        return { data, lines: ['It is sent again now.'] };
      }
      case 'drop': {
        const data = unwrap(await store.notifications.drop(required(first, 'The id of the notification')));
        return { data, lines: ['Given up.'] };
      }
      default:
        throw new UsageError('Say targets, add, change, check, remove, templates, write, reset, preview, resume or drop, or nothing for the list.');
    }
  },
};

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new NotPossibleError(unreadable(file, error));
  }
}
