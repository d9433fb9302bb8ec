import { unwrap } from '../sdk/index.ts';
import { collect, type Command, type Row, shown, UsageError } from './command.ts';

/** What a store is warned of. */
export const alarms: Command = {
  summary: 'what the store is warned of: late steps, failures, escalations, backlog',
  usage: `rekindle alarms            each figure beside its threshold
rekindle alarms history    every alarm that was raised, the latest first

The exit status is 1 while there is an alarm. Thresholds: rekindle settings set 'alarms={"backlog":500}'
docs/runbooks.md says what to do.`,
  example: 'rekindle alarms',
  takes: { history: 0 },
  async run({ store, args: [action] }) {
    if (action === 'history') {
      const data = await collect(store.alarms.allHistory());
      return { data, lines: data.length === 0 ? ['There was none.'] : data.map(pastLine) };
    }
    if (action !== undefined) throw new UsageError('Say history, or nothing.');
    const { alarms: data } = unwrap(await store.alarms.get());
    return { data, lines: data.map(line), failed: data.some(({ raised }) => raised) };
  },
};

const figureOf = (figure: unknown) => (typeof figure === 'number' ? String(Math.round(figure * 1_000) / 1_000) : '–');

function line(one: Row): string {
  const state = one['raised'] === true ? `ALARM since ${shown(one['raised_at'])}` : 'ok';
  const threshold = one['threshold'] === null ? 'no threshold' : `trouble ${shown(one['trouble'])} ${shown(one['threshold'])}`;
  return `${shown(one['kind']).padEnd(18)}${figureOf(one['figure']).padStart(8)}  ${threshold.padEnd(20)}  ${state}`;
}

const pastLine = (one: Row) =>
  `${shown(one['raised_at'])}  ${shown(one['kind']).padEnd(18)}${figureOf(one['figure']).padStart(8)}  ${one['cleared_at'] === null ? 'since then' : `until ${shown(one['cleared_at'])}`}`;
