import { setTimeout } from 'node:timers/promises';
import { unwrap } from '../sdk/index.ts';
import { type Answer, asGiven, collect, type Command, type Context, required, type Row, shown, UsageError, sorted, sortOption } from './command.ts';
import { clearProgress, showProgress } from './progress.ts';

const actions = ['stop', 'pause', 'resume', 'move'];
const filters = {
  status: 'status',
  sequence: 'sequence',
  campaign: 'campaign_id',
  email: 'email',
  phone: 'phone',
  subject: 'subject_id',
  'external-id': 'external_id',
  'enrolled-from': 'enrolled_from',
  'enrolled-until': 'enrolled_until',
} as const;

export const enrollments: Command = {
  summary: 'list enrollments, and stop, pause, resume or move all that a filter finds',
  usage: `rekindle enrollments list [filter]
rekindle enrollments stop | pause | resume | move [filter] [--dry-run] [--watch] [--note TEXT]
rekindle enrollments move [filter] [--to-version N] [--step STEP]
rekindle enrollments actions                    what was done to many so far
rekindle enrollments show <action id> [--watch]
rekindle enrollments cancel <action id>         nobody else is reached; what was done stays

An action is counted first: --dry-run does no more, --yes does it. Between the two, nobody is added: where more are found by then, nothing is done.
It reaches who is in a sequence when it begins, each at most once, and goes on after a restart.

The filter, of which an action needs at least one:
--status ACTIVE | PAUSED | COMPLETED | CONVERTED | EXITED
--sequence SLUG, --campaign ID, --email, --phone, --subject ID, --external-id ID
--enrolled-from, --enrolled-until   2026-01-31T00:00:00Z`,
  example: 'rekindle enrollments pause --sequence cart --status ACTIVE --dry-run',
  takes: { list: 0, stop: 0, pause: 0, resume: 0, move: 0, actions: 0, show: 1, cancel: 1 },
  options: {
    ...sortOption,
    ...Object.fromEntries([...Object.keys(filters), 'to-version', 'step', 'note'].map((name) => [name, { type: 'string' as const }])),
    'dry-run': { type: 'boolean' },
    yes: { type: 'boolean' },
    watch: { type: 'boolean' },
  },
  async run({ store, args: [action = 'list', target], options }) {
    const filter = filterOf(options);
    const watched = async (done: Row) => answerOf(options['watch'] === true ? await untilOver(store, done) : done);
    switch (action) {
      case 'list': {
        const data = await collect(store.enrollments.all(asGiven({ ...filter, limit: 100, ...sorted(options) })));
        const lines = data.map(({ id, sequence, status, summary }) => `${id}  ${sequence.slug}  ${status}  ${summary}`);
        return { data, lines: lines.length === 0 ? ['There are none.'] : lines };
      }
      case 'actions': {
        const data = await collect(store.bulkActions.all({ limit: 100 }));
        return { data, lines: data.length === 0 ? ['There are none.'] : data.map(lineOf) };
      }
      case 'show':
        return watched(unwrap(await store.bulkActions.get(required(target, 'The action’s id'))));
      case 'cancel':
        return answerOf(unwrap(await store.bulkActions.cancel(required(target, 'The action’s id'))));
      default: {
        if (!actions.includes(action)) throw new UsageError(`enrollments has no command "${action}".`);
        const wish = { action, filter, ...detailsOf(options) };
        const counted: Row = unwrap(await store.bulkActions.start(asGiven({ ...wish, dry_run: true })));
        if (options['dry-run'] === true) return { data: counted, lines: countLines(counted) };
        if (options['yes'] !== true)
          throw new UsageError(`That is about ${shown(counted['matched'])} enrollments: --dry-run says which, --yes does it.`);
        return watched(unwrap(await store.bulkActions.start(asGiven({ ...wish, most: counted['matched'] }))));
      }
    }
  },
};

const filterOf = (options: Context['options']): Row =>
  Object.fromEntries(Object.entries(filters).flatMap(([name, field]) => (options[name] === undefined ? [] : [[field, options[name]]])));

const detailsOf = (options: Context['options']): Row => ({
  ...(options['to-version'] === undefined ? {} : { version: Number(options['to-version']) }),
  ...(options['step'] === undefined ? {} : { step: options['step'] }),
  ...(options['note'] === undefined ? {} : { note: options['note'] }),
});

function countLines(counted: Row): string[] {
  const by = (counted['sequences'] as Row[]).map((one) => `    ${shown(one['count'])}  ${shown(one['sequence'])}  ${shown(one['status'])}`);
  const ended = Number(counted['ended']) > 0 ? [`${shown(counted['ended'])} others have ended and stay as they are.`] : [];
  return [`${shown(counted['action'])} would reach ${shown(counted['matched'])} enrollments:`, ...by, ...ended];
}

async function untilOver(store: Context['store'], begun: Row): Promise<Row> {
  try {
    for (let now = begun; ; now = unwrap(await store.bulkActions.get(String(now['id'])))) {
      if (now['state'] !== 'running') return now;
      const [examined, matched] = [Number(now['examined']), Number(now['matched'])];
      showProgress(matched === 0 ? 1 : Math.min(1, examined / matched), `  ${shown(now['changed'])} changed`);
      await setTimeout(1_000);
    }
  } finally {
    clearProgress();
  }
}

const lineOf = (row: Row) =>
  `${shown(row['id'])}  ${shown(row['action'])}  ${shown(row['state'])}  ${shown(row['changed'])} changed, ${shown(row['examined'])} of ${shown(row['matched'])} looked at`;

function answerOf(data: Row): Answer {
  const refused = Object.entries((data['refused'] ?? {}) as Record<string, number>);
  return { data, lines: [lineOf(data), ...(refused.length === 0 ? [] : [`Refused: ${refused.map(([why, n]) => `${n} ${why}`).join(', ')}`])] };
}
