import { unwrap } from '../sdk/index.ts';
import { collect, type Command, required, type Row, shown, UsageError, sorted, sortOption } from './command.ts';

const line = (row: Row) => {
  const data = Object.entries(row['data'] as Row).map(([name, value]) => `${name} ${shown(value)}`);
  return `${shown(row['id'])}  ${shown(row['kind'])}  ${shown(row['state'])}  ${shown(row['owner'])}  due ${shown(row['due_at'])}  ${shown(row['recommendation'])}  ${data.join(', ')}`;
};

export const tasks: Command = {
  summary: 'work for people: what is open, and what came of it',
  usage: `rekindle tasks [--all]                       what is open, the latest first
rekindle tasks accept <id> --owner NAME      you do it: the automatic steps about them are held
rekindle tasks reassign <id> [--owner NAME]  somebody else does it; without a name anybody
rekindle tasks snooze <id> --until TIME      it is due then
rekindle tasks done <id> [--result TEXT]     it is done
rekindle tasks dismiss <id> [--result TEXT]  nothing is to be done`,
  options: {
    ...sortOption,
    all: { type: 'boolean' },
    result: { type: 'string' },
    owner: { type: 'string' },
    until: { type: 'string' },
  },
  example: 'rekindle tasks done 01920000-0000-7000-8000-000000000000 --result "called back"',
  takes: { accept: 1, reassign: 1, snooze: 1, done: 1, dismiss: 1 },
  async run({ store, args: [action, id], options }) {
    if (action === undefined) {
      const data = await collect(store.tasks.all({ ...(options['all'] === true ? {} : { state: 'open' }), ...sorted(options) }));
      return { data, lines: data.length === 0 ? ['Nothing is to be done.'] : data.map(line) };
    }
    const owner = options['owner'];
    if (action === 'accept' || action === 'reassign' || action === 'snooze') {
      const task = required(id, 'The task’s id');
      const data =
        action === 'accept'
          ? unwrap(await store.tasks.accept(task, { owner: required(owner, '--owner') }))
          : action === 'reassign'
            ? unwrap(await store.tasks.reassign(task, { owner: typeof owner === 'string' ? owner : null }))
            : unwrap(await store.tasks.snooze(task, { until: required(options['until'], '--until') }));
      return { data, lines: [line(data)] };
    }
    if (action !== 'done' && action !== 'dismiss') throw new UsageError('Say accept, reassign, snooze, done or dismiss, or nothing for the list.');
    const body = {
      state: action === 'done' ? ('done' as const) : ('dismissed' as const),
      ...(typeof options['result'] === 'string' ? { result: options['result'] } : {}),
    };
    const data = unwrap(await store.tasks.close(required(id, 'The task’s id'), body));
    return { data, lines: [line(data)] };
  },
};
