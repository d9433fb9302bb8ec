import { unwrap } from '../sdk/index.ts';
import { asGiven, type Command, type Row, shown, UsageError } from './command.ts';

/** What the results teach. */
export const learning: Command = {
  summary: 'what results teach: words, delays, where people are lost, who leads',
  usage: `rekindle learning [--days N]                          conversions, channels, the funnel, and what was learned in sentences
rekindle learning phrases --channel CHANNEL           which words and phrases texts do better with, by tests alone
rekindle learning delays                              delays of steps that were drawn by chance
rekindle learning hours                               what messages come to by the hour of the local week, and which are preferred
rekindle learning drop-offs [--days N]                where each sequence loses most, and what to try there
rekindle learning leaderboards [--of WHAT] [--days N] sequences (default), campaigns, sources or imports, ranked`,
  example: 'rekindle learning phrases --channel email',
  takes: { phrases: 0, delays: 0, hours: 0, 'drop-offs': 0, leaderboards: 0 },
  options: { days: { type: 'string' }, channel: { type: 'string' }, of: { type: 'string' } },
  async run({ store, args: [about], options }) {
    const days = options['days'] === undefined ? undefined : Number(options['days']);
    if (days !== undefined && !Number.isInteger(days)) throw new UsageError('--days is a whole number, such as 30.');
    const since = days === undefined ? {} : { days };
    switch (about) {
      case undefined: {
        const data = unwrap(await store.learning.get(since));
        const stages = data.funnel.stages.map(({ stage, n }) => `${n} ${stage}`).join(', ');
        const { n, converted, rate, interval } = data.conversions;
        return {
          data,
          lines: [`${converted} of ${n} converted${within(rate, interval)}.`, `${stages}.`, ...data.insights.map(({ sentence }) => sentence)],
        };
      }
      case 'phrases': {
        const data = unwrap(await store.learning.phrases(asGiven({ channel: options['channel'] ?? 'email' })));
        const line = (finding: Row) =>
          `${shown(finding['kind'])}  ${shown(finding['text'])}  ${shown(finding['lift'])} % in ${shown(finding['n'])} tests, p ${Number(finding['p']).toPrecision(2)}`;
        const few = `Not enough variants: ${data.n} tests, and the phrase that varies most is ${data.missing} short of ${data.fewest_tests}.`;
        const found = [...data.better.map((one) => `better  ${line(one)}`), ...data.worse.map((one) => `worse   ${line(one)}`)];
        return {
          data,
          lines: data.state === 'not_enough_variants' ? [few] : found.length === 0 ? ['No phrase is certain to do better or worse.'] : found,
        };
      }
      case 'delays': {
        const { data, definition } = unwrap(await store.learning.delays());
        const lines = data.map(
          ({ sequence, step, state, missing, suggestion, delays }) =>
            `${sequence}/${step}  ${state === 'not_enough' ? `not enough data, missing are ${missing.people} people and ${missing.conversions} conversions` : (suggestion ?? (state === 'unsound' ? 'nothing may be believed, the arms hold not as many people as they should' : 'no delay is certain to do better'))}  (${delays.map((one) => `${one.delay_seconds / 3_600} h: ${one.converted} of ${one.n}`).join(', ')})`,
        );
        return { data: { definition, data }, lines: lines.length === 0 ? ['No step has variants that differ in their time alone.'] : lines };
      }
      case 'hours': {
        const data = unwrap(await store.learning.hours());
        const lines = data.data.map(({ channel, n, converted, preferred }) => {
          const hours = preferred.map(({ day, hour }) => `${day} ${hour}:00`).join(', ');
          return `${channel}  ${converted} of ${n} messages  ${hours === '' ? 'no hour is better for certain' : `preferred: ${hours}`}`;
        });
        return {
          data,
          lines: lines.length === 0 ? ['Nothing is known of any hour yet: it is computed every night, of messages older than a week.'] : lines,
        };
      }
      case 'drop-offs': {
        const data = unwrap(await store.learning.dropOffs(since));
        const lines = data.data.map(({ sequence, largest }) =>
          largest === null
            ? `${sequence}  nobody is lost behind a step that enough have had`
            : `${sequence}/${largest.step}  ${largest.left} of ${largest.n} left${within(largest.rate, largest.interval)}. ${largest.advice}`,
        );
        return { data, lines: lines.length === 0 ? ['No sequence began.'] : lines };
      }
      case 'leaderboards': {
        const data = unwrap(await store.learning.leaderboards(asGiven({ ...since, of: options['of'] })));
        const lines = data.data.map(
          ({ place, key, name, n, converted, rate, interval, at_least: least }) =>
            `${place}. ${name === '' ? key || 'not stated' : name}  at least ${least} %  ${converted} of ${n}${within(rate, interval)}`,
        );
        return { data, lines: lines.length === 0 ? ['Nobody was enrolled.'] : lines };
      }
      default:
        throw new UsageError('Say phrases, delays, hours, drop-offs or leaderboards, or nothing for all in short.');
    }
  },
};

const within = (rate: number | null, interval: { low: number; high: number } | null) =>
  rate === null || interval === null ? '' : ` (${rate} %, 95 %: ${interval.low} to ${interval.high})`;
