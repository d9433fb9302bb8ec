import { unwrap } from '../sdk/index.ts';
import { collect, type Command, required, UsageError } from './command.ts';

const parts = ['provider', 'worker', 'temporal'] as const;

/** Outages that are practised. */
export const drills: Command = {
  summary: 'practise an outage: a provider, the worker or Temporal counts as away for a while',
  usage: `rekindle drills                    the latest first
rekindle drills start <part>       provider, worker or temporal; one at a time, and it ends by itself
         --minutes 15              after how many, 240 at most
         --share 10                percent of the enrollments
         --channel email           of a provider; left out: every channel that disturbs people
rekindle drills show <id>          what it holds, what expires, what was released
rekindle drills end <id>           before its time`,
  example: 'rekindle drills start provider --channel email --minutes 15 --share 100',
  takes: { start: 1, show: 1, end: 1 },
  options: { minutes: { type: 'string' }, share: { type: 'string' }, channel: { type: 'string' } },
  async run({ store, args: [action, what], options }) {
    if (action === 'start') {
      const part = parts.find((one) => one === what);
      if (part === undefined) throw new UsageError('Say what counts as away: provider, worker or temporal.');
      const data = unwrap(
        await store.outageDrills.start({
          ...{ part, minutes: number(options['minutes'], 15, '--minutes'), share_percent: number(options['share'], 10, '--share') },
          ...(typeof options['channel'] === 'string' ? { channel: options['channel'] as 'email' } : {}),
        }),
      );
      return { data, lines: [`${data.id}  ${data.part} counts as away for ${data.share_percent} % until ${data.ends_at}.`] };
    }
    if (action === 'show') {
      const data = unwrap(await store.outageDrills.get(required(what, 'The drill’s id')));
      const { waves, will_expire, expired, sent_during, released, busiest_minute, sent_twice } = data;
      const limit = waves.catch_up_per_minute === null ? 'no limit' : `${waves.catch_up_per_minute} at most`;
      return {
        data,
        lines: [
          `${data.part}${data.channel === null ? '' : ` (${data.channel})`}, ${data.share_percent} %, ${data.running ? `until ${data.ends_at}` : `over since ${data.ended_at ?? data.ends_at}`}`,
          `overdue ${waves.overdue}, due in 24 h ${waves.due_24h}, will expire ${will_expire}, expired ${expired}`,
          `sent meanwhile ${sent_during}, released ${released}, of late ones in a minute ${busiest_minute} (${limit}), sent twice ${sent_twice}`,
        ],
        failed: sent_twice > 0,
      };
    }
    if (action === 'end') {
      const data = unwrap(await store.outageDrills.end(required(what, 'The drill’s id')));
      return { data, lines: ['It is over. Steps that wait for the worker are asked again within five minutes.'] };
    }
    if (action !== undefined) throw new UsageError('Say start, show or end, or nothing for the list.');
    const data = await collect(store.outageDrills.all());
    const lines = data.map(
      ({ id, part, channel, share_percent, running, started_at, ends_at, ended_at }) =>
        `${id}  ${part}${channel === null ? '' : ` ${channel}`}  ${share_percent} %  ${started_at}  ${running ? `until ${ends_at}` : `ended ${ended_at ?? ends_at}`}`,
    );
    return { data, lines: lines.length === 0 ? ['None was practised.'] : lines };
  },
};

function number(given: unknown, usual: number, name: string): number {
  if (given === undefined) return usual;
  const value = Number(given);
  if (!Number.isInteger(value)) throw new UsageError(`${name} is a whole number.`);
  return value;
}
