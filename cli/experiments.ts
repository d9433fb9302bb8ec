import { unwrap } from '../sdk/index.ts';
import { collect, type Command, required, type Row, shown, UsageError } from './command.ts';

function line(row: Row): string {
  const arms = (row['arms'] as Row[]).map((arm) => `${shown(arm['variant'])} ${shown(arm['converted'])} of ${shown(arm['complete'])}`).join(', ');
  const state =
    row['status'] === 'DECIDED'
      ? `${shown(row['winner'])} is better (p ${Number(row['p']).toPrecision(2)}), ${shown(row['takeover'])}`
      : row['status'] === 'RUNNING'
        ? `runs: ${shown(row['goes_on_because'])}`
        : 'stopped';
  return `${shown(row['id'])}  ${shown(row['sequence'])}/${shown(row['step'])}  ${state}  (${arms})`;
}

export const experiments: Command = {
  summary: 'tests of variants: what runs, what is decided, and whether the winner takes over',
  usage: `rekindle experiments                 those that run and those that have ended, the latest first
rekindle experiments approve <id>    the winner takes over: a new version of the sequence, for new enrollments
rekindle experiments dismiss <id>    the variants stay as they are`,
  example: 'rekindle experiments approve 01920000-0000-7000-8000-000000000000',
  takes: { approve: 1, dismiss: 1 },
  async run({ store, args: [action, id] }) {
    if (action === undefined) {
      const data = await collect(store.experiments.all());
      return { data, lines: data.length === 0 ? ['No step has variants that people were assigned to.'] : data.map(line) };
    }
    if (action !== 'approve' && action !== 'dismiss') throw new UsageError('Say approve or dismiss, or nothing for the list.');
    const data = unwrap(await store.experiments[action](required(id, 'The test’s id')));
    return { data, lines: [line(data)] };
  },
};
