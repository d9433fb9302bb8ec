import { unwrap } from '../sdk/index.ts';
import { asGiven, collect, type Command, required, type Row, shown, UsageError } from './command.ts';

function line(row: Row): string {
  // A test's shares are those that somebody wrote; a bandit's are its result.
  const share = (arm: Row) => (row['mode'] === 'bandit' ? `, now ${Math.round(100 * Number(arm['share']))}% of new people` : '');
  const arms = (row['arms'] as Row[])
    .map((arm) => `${shown(arm['variant'])} ${shown(arm['converted'])} of ${shown(arm['complete'])}${share(arm)}`)
    .join('; ');
  const state =
    row['status'] === 'DECIDED'
      ? `${shown(row['winner'])} is better (p ${Number(row['p']).toPrecision(2)}), ${shown(row['takeover'])}`
      : row['status'] === 'RUNNING'
        ? `runs: ${shown(row['goes_on_because'])}`
        : 'stopped';
  const compared =
    row['campaign'] === null
      ? `${shown(row['sequence'])}${row['step'] === null ? ', as a whole' : `/${shown(row['step'])}`}`
      : `${shown(row['campaign_name'])}, ${shown(row['channel'])}`;
  const harm = ((row['guardrails'] as Row[] | undefined) ?? [])
    .filter(({ worse }) => worse === true)
    .map((one) => `${shown(one['variant'])} has more ${shown(one['metric'])}`);
  return `${shown(row['id'])}  ${compared}  ${state}  (${arms})${harm.length === 0 ? '' : `  HARM: ${harm.join(', ')}`}`;
}

function variantsOf(given: unknown): Row[] {
  if (!Array.isArray(given) || given.length < 2) throw new UsageError('Name two scripts at least: --script A=NAME --script B=NAME.');
  return given.map((one) => {
    const [variant, script, ...more] = String(one).split('=');
    if (variant === undefined || script === undefined || script === '' || more.length > 0)
      throw new UsageError(`--script ${String(one)} is no variant: write A=NAME.`);
    return { variant, script };
  });
}

export const experiments: Command = {
  summary: 'tests of variants: what runs, what is decided, and whether the winner takes over',
  usage: `rekindle experiments                 those that run and those that have ended, the latest first
rekindle experiments begin --campaign ID --channel CHANNEL --script A=NAME --script B=NAME …
                                     compare scripts of a campaign on one channel: each lead gets one of them by chance
rekindle experiments begin … --bandit
                                     give more people what brings more, at least a tenth each; nothing is judged
rekindle experiments stop <id>       stop a test of a campaign: its own script goes out again
rekindle experiments approve <id>    the winner takes over for new enrollments: of a step or a sequence by a new version of it
rekindle experiments dismiss <id>    the variants stay as they are; the test of a campaign is over`,
  example: 'rekindle experiments approve 01920000-0000-7000-8000-000000000000',
  takes: { begin: 0, stop: 1, approve: 1, dismiss: 1 },
  options: {
    campaign: { type: 'string' },
    channel: { type: 'string' },
    script: { type: 'string', multiple: true },
    bandit: { type: 'boolean' },
  },
  async run({ store, args: [action, id], options }) {
    if (action === undefined) {
      const data = await collect(store.experiments.all());
      return { data, lines: data.length === 0 ? ['No step or sequence has variants that people were assigned to.'] : data.map(line) };
    }
    if (action === 'begin') {
      const campaign = required(options['campaign'], 'The campaign’s id (--campaign)');
      const channel = required(options['channel'], 'The channel (--channel)');
      const data = unwrap(
        await store.experiments.create(
          asGiven({ campaign, channel, variants: variantsOf(options['script']), ...(options['bandit'] === true ? { mode: 'bandit' } : {}) }),
        ),
      );
      return { data, lines: [line(data)] };
    }
    if (action !== 'approve' && action !== 'dismiss' && action !== 'stop')
      throw new UsageError('Say begin, stop, approve or dismiss, or nothing for the list.');
    const data = unwrap(await store.experiments[action](required(id, 'The test’s id')));
    return { data, lines: [line(data)] };
  },
};
