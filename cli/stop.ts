import { unwrap } from '../sdk/index.ts';
import { type Command, required, shown } from './command.ts';

export const stop: Command = {
  summary: 'end one running sequence by hand',
  usage: 'rekindle stop <enrollment id> [--reason TEXT]   TEXT is kept as a note; it decides nothing',
  example: 'rekindle stop 01920000-0000-7000-8000-000000000000 --reason "asked us to"',
  takes: 1,
  options: { reason: { type: 'string' } },
  async run({ store, args: [id], options }) {
    const reason = String(options['reason'] ?? 'stopped by hand');
    const data = unwrap(await store.recovery.stop(required(id, 'The enrollment’s id'), { reason }));
    return {
      data,
      lines: [
        Object.entries(data)
          .map(([name, value]) => `${name} ${shown(value)}`)
          .join('  '),
      ],
    };
  },
};
