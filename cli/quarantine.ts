import { unwrap } from '../sdk/index.ts';
import { type Answer, asGiven, collect, type Command, required, type Row, shown, UsageError, sorted, sortOption } from './command.ts';

export const quarantine: Command = {
  summary: 'webhooks that could not be read: list, show, read again, dismiss',
  usage: `rekindle quarantine [--state open|released|dismissed|all]   the oldest first; those that are open unless you say otherwise
rekindle quarantine show <id>                               with its body
rekindle quarantine replay [<id>]                           read one, or all that are open, again
rekindle quarantine dismiss <id> --reason TEXT              it is never to take effect; TEXT says why

The exit status is 1 where a replay leaves something that cannot be read.`,
  example: 'rekindle quarantine replay',
  takes: { list: 0, show: 1, replay: 1, dismiss: 1 },
  options: {
    ...sortOption,
    state: { type: 'string' },
    reason: { type: 'string' },
  },
  async run({ store, args: [action = 'list', id], options }) {
    const one = () => required(id, 'The id');
    switch (action) {
      case 'list': {
        const state = String(options['state'] ?? 'open');
        const data = await collect(store.quarantine.all(asGiven({ state, limit: 500, ...sorted(options) })));
        return {
          data,
          lines: data.length === 0 ? [state === 'open' ? 'Nothing waits in the quarantine.' : 'There is none.'] : data.flatMap(linesOf),
        };
      }
      case 'show': {
        const data = unwrap(await store.quarantine.get(one()));
        return { data, lines: [...linesOf(data), '', shown(data['body'])] };
      }
      case 'replay':
        return id === undefined ? replayed(unwrap(await store.quarantine.replayAll())) : replayedOne(unwrap(await store.quarantine.replay(one())));
      case 'dismiss': {
        const data = unwrap(
          await store.quarantine.dismiss(one(), { reason: required(options['reason'], '--reason, why it is not to take effect,') }),
        );
        return { data, lines: linesOf(data) };
      }
      default:
        throw new UsageError(`quarantine has no command "${action}".`);
    }
  },
};

const replayLine = (r: Row) => `${shown(r['id'])}  ${shown(r['detail'])}`;

function replayedOne(data: Row): Answer {
  return { data, lines: [replayLine(data)], failed: data['result'] === 'still_unreadable' };
}

function replayed(data: Row): Answer {
  const replays = data['replays'] as Row[];
  return {
    data,
    lines: replays.length === 0 ? ['Nothing waits in the quarantine.'] : replays.map(replayLine),
    failed: data['still_unreadable'] !== 0,
  };
}

function linesOf(d: Row): string[] {
  const fields = (d['fields'] ?? []) as Row[];
  const why = fields.length === 0 ? [shown(d['reason'])] : fields.map(({ field, reason }) => `${shown(field)} ${shown(reason)}`);
  const dismissed = (d['dismissed'] ?? null) as Row | null;
  return [
    `${shown(d['id'])}  ${shown(d['received_at'])}  ${shown(d['integration'])} ${shown(d['topic'])}  ${shown(d['state'])}${d['may_be_stop'] === true ? '  MAY BE A STOP' : ''}`,
    ...why.map((text) => `    ${text}`),
    ...(dismissed === null ? [] : [`    dismissed ${shown(dismissed['at'])} by ${shown(dismissed['by'])}: ${shown(dismissed['reason'])}`]),
  ];
}
