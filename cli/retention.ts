import { unwrap } from '../sdk/index.ts';
import { type Command, UsageError } from './command.ts';

/** For how long data are kept. */
export const retention: Command = {
  summary: 'take away what is older than the settings keep',
  usage: `rekindle retention run [--dry-run]

--dry-run   count what is too old, and change nothing

It runs each night by itself. The setting retention says for how many days what is kept; null: for good. It needs the role admin.`,
  options: { 'dry-run': { type: 'boolean' } },
  example: 'rekindle retention run --dry-run',
  takes: { run: 0 },
  async run({ store, args: [action], options }) {
    if (action !== 'run') throw new UsageError('Say run.');
    const data = unwrap(await store.retention.run({ dry_run: options['dry-run'] === true }));
    const rows = Object.entries(data.rows).map(([kind, n]) => `${n} ${kind}`);
    const done = data.dry_run ? 'Too old' : 'Taken away';
    return {
      data,
      lines: [rows.length === 0 ? 'Nothing is too old.' : `${done}: ${rows.join(', ')}.`, ...(data.finished ? [] : ['There is more: run it again.'])],
    };
  },
};
