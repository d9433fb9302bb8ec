import { type Command, required, shown, UsageError } from './command.ts';

type Row = Record<string, unknown>;

export const quarantine: Command = {
  summary: 'webhooks that could not be read: list, show, read again',
  usage: `rekindle quarantine                 those that are open, the oldest first
rekindle quarantine show <id>      with its body
rekindle quarantine replay [<id>]  read one, or all that are open, again`,
  async run({ store, args: [action = 'list', id] }) {
    switch (action) {
      case 'list': {
        const data = (await store.request('GET', '/api/quarantine?limit=500')) as Row[];
        return { data, lines: data.length === 0 ? ['Nothing waits in the quarantine.'] : data.map(line) };
      }
      case 'show': {
        const data = (await store.request('GET', `/api/quarantine/${encodeURIComponent(required(id, 'The id'))}`)) as Row;
        return { data, lines: [line(data), '', shown(data['body'])] };
      }
      case 'replay': {
        const path = id === undefined ? '/api/quarantine/replay' : `/api/quarantine/${encodeURIComponent(id)}/replay`;
        const data = (await store.request('POST', path)) as Row;
        const replays = id === undefined ? (data['replays'] as Row[]) : [data];
        return {
          data,
          lines: replays.length === 0 ? ['Nothing waits in the quarantine.'] : replays.map((r) => `${shown(r['id'])}  ${shown(r['detail'])}`),
        };
      }
      default:
        throw new UsageError(`quarantine has no command "${action}".`);
    }
  },
};

const line = (d: Row) =>
  `${shown(d['id'])}  ${shown(d['received_at'])}  ${shown(d['integration'])} ${shown(d['topic'])}${d['may_be_stop'] === true ? '  MAY BE A STOP' : ''}  ${shown(d['reason'])}`;
