import { unwrap } from '../sdk/index.ts';
import { asGiven, collect, type Command, required, type Row, shown, UsageError, sorted, sortOption } from './command.ts';

const line = (row: Row) =>
  `${shown(row['id'])}  ${shown(row['reason'])} on ${shown(row['channel'])} since ${shown(row['since'])}${row['lifted_at'] === null ? '' : `, lifted ${shown(row['lifted_at'])}`}`;

/** Addresses that get nothing, and how one that works again is opened. */
export const suppressions: Command = {
  summary: 'which addresses get nothing, and why; lift one that works again',
  usage: `rekindle suppressions [--email <address>] [--phone <number>]   of one person, or all
rekindle suppressions lift <id>                                a bounce or a refusal; an opt-out is lifted by the person alone`,
  options: {
    ...sortOption,
    email: { type: 'string' },
    phone: { type: 'string' },
  },
  example: 'rekindle suppressions --email ada@example.com',
  takes: { lift: 1 },
  async run({ store, args: [action, id], options }) {
    switch (action) {
      case undefined: {
        const { email, phone } = options;
        const data = await collect(store.suppressions.all(asGiven({ email, phone, ...sorted(options) })));
        return { data, lines: data.length === 0 ? ['Nothing is suppressed.'] : data.map(line) };
      }
      case 'lift': {
        const data = unwrap(await store.suppressions.lift(required(id, 'The suppression’s id')));
        return { data, lines: [line(data)] };
      }
      default:
        throw new UsageError('Say lift, or nothing for the list.');
    }
  },
};
