import { unwrap } from '../sdk/index.ts';
import { type Answer, asGiven, collect, type Command, type Context, required, type Row, shown, UsageError, sorted, sortOption } from './command.ts';
import { lint } from './lint.ts';
import { presetOrFile, readText, textsBeside } from './sequence-file.ts';
import { pull, push, sequenceFiles } from './sequences-as-code.ts';

const changes = ['pause', 'resume', 'archive', 'unarchive', 'end'] as const;

export const sequences: Command = {
  summary: 'a store’s sequences: draft, preview, publish, roll back, pause, archive, end',
  usage: `rekindle sequences                                   list them
rekindle sequences show <slug>                       its versions, and who is on them
rekindle sequences draft <file.yaml>                 store it as the draft; its texts lie beside it, in a folder named like the sequence
rekindle sequences stats <slug> [--days N]           what it came to, step by step
rekindle sequences outcomes <slug> [--days N]        what became of those in it, and when
rekindle sequences drop <slug>                       delete the draft
rekindle sequences diff <slug>                       what publishing the draft would change, and for how many
rekindle sequences publish <slug> [--base N] [--running stay|move|exit] [--draft HASH]
rekindle sequences rollback <slug> --to N [--base N] [--running stay|move|exit]
rekindle sequences shadow <slug> [--start | --stop]   let the draft decide beside real enrollments without sending; what it has decided so far
rekindle sequences lint <folder | file.yaml …>       what is wrong with files, as rekindle lint
rekindle sequences push <folder | file.yaml …> [--dry-run]   check them all, then store each that says something new as a draft
rekindle sequences pull <folder> [slug …] [--overwrite]      write the store's drafts, else its versions in use, as files
rekindle sequences pause|resume|archive|unarchive|end <slug> [--note TEXT]

--running     what becomes of those who are in it: stay on their version (unless you say otherwise), move to the new one at their next decision, or exit
--base        the version in use that you have seen; without it, the one that is in use now
--draft       the draft that you have seen, by its hash
--dry-run     say what would be stored, and how many are in those sequences; nothing is stored
--overwrite   replace files that differ`,
  example: 'rekindle sequences publish cart --running move',
  destroys: { drop: 'The draft is deleted.', end: 'Everybody in the sequence exits.' },
  takes: {
    list: 0,
    show: 1,
    stats: 1,
    outcomes: 1,
    draft: 1,
    drop: 1,
    diff: 1,
    publish: 1,
    rollback: 1,
    shadow: 1,
    lint: Number.POSITIVE_INFINITY,
    push: Number.POSITIVE_INFINITY,
    pull: Number.POSITIVE_INFINITY,
    ...Object.fromEntries(changes.map((name) => [name, 1])),
  },
  options: {
    ...sortOption,
    base: { type: 'string' },
    running: { type: 'string' },
    draft: { type: 'string' },
    to: { type: 'string' },
    days: { type: 'string' },
    note: { type: 'string' },
    start: { type: 'boolean' },
    stop: { type: 'boolean' },
    'dry-run': { type: 'boolean' },
    overwrite: { type: 'boolean' },
  },
  async run(context) {
    const { store, args, options } = context;
    const [action = 'list', target] = args;
    if (action === 'list') {
      const found = await collect(store.sequences.all({ limit: 500, ...sorted(options) }));
      return { data: found, lines: found.length === 0 ? ['There are no sequences yet.'] : found.map(lineOf) };
    }
    if (action === 'lint') return lint.run({ ...context, args: sequenceFiles(args.slice(1)), options: {} });
    if (action === 'push') return push(context, args.slice(1));
    if (action === 'pull') return pull(context, required(target, 'The folder'), args.slice(2));
    if (action === 'draft') return storeDraft(context, required(target, 'The file'));
    const slug = required(target, 'The sequence');
    switch (action) {
      case 'show': {
        const data = unwrap(await store.sequences.get(slug));
        const versions = await collect(store.sequences.allVersions(slug, { limit: 500 }));
        return { data: { ...data, versions }, lines: [lineOf(data), ...versions.map(versionLine)] };
      }
      case 'stats': {
        const days = numberOf(options['days'], 'days');
        const data = unwrap(await store.sequences.stats(slug, days === null ? {} : { days }));
        return { data, lines: statsLines(data) };
      }
      case 'outcomes': {
        const days = numberOf(options['days'], 'days');
        const data = unwrap(await store.sequences.outcomes(slug, days === null ? {} : { days }));
        return { data, lines: outcomeLines(data) };
      }
      case 'drop':
        unwrap(await store.sequences.deleteDraft(slug));
        return { data: null, lines: ['The draft is deleted.'] };
      case 'diff': {
        const data = unwrap(await store.sequences.preview(slug));
        return { data, lines: previewLines(data) };
      }
      case 'publish': {
        const draft = options['draft'] === undefined ? {} : { draft: options['draft'] };
        return published(unwrap(await store.sequences.publish(slug, asGiven({ ...(await choices(context, slug)), ...draft }))));
      }
      case 'rollback': {
        const to = numberOf(options['to'], 'to');
        if (to === null) throw new UsageError('--to is missing: the version whose content is published again.');
        return published(unwrap(await store.sequences.rollback(slug, asGiven({ ...(await choices(context, slug)), to }))));
      }
      case 'shadow':
        return shadow(context, slug);
      default: {
        const change = changes.find((name) => name === action);
        if (change === undefined) throw new UsageError(`sequences has no command "${action}".`);
        const { note } = options;
        const data = unwrap(await store.sequences[change](slug, asGiven(note === undefined ? {} : { note })));
        return { data, lines: [lineOf(data)] };
      }
    }
  },
};

/** A file, with every text of the folder beside it that is named like the file. */
async function storeDraft({ store }: Context, wanted: string): Promise<Answer> {
  const file = presetOrFile(wanted);
  const yaml = readText(file);
  const { slug, texts: copy } = textsBeside(file, yaml);
  const data = unwrap(await store.sequences.storeDraft(slug, { yaml, copy }));
  const findings = data.findings.map((f) => `${file}:${shown(f['line'])}:${shown(f['column'])}: ${shown(f['severity'])}: ${shown(f['message'])}`);
  return { data, lines: [...findings, `The draft of ${slug} is stored: rekindle sequences diff ${slug} shows what publishing it would change.`] };
}

/** What publishing says besides what it publishes. */
async function choices({ store, options }: Context, slug: string): Promise<Row> {
  const base = numberOf(options['base'], 'base') ?? unwrap(await store.sequences.get(slug)).version ?? 0;
  return { base_version: base, ...(options['running'] === undefined ? {} : { running: options['running'] }) };
}

function published(data: Row): Answer {
  const open = Number(data['open_enrollments']);
  return { data, lines: [`Version ${shown(data['version'])} is in use.${open === 0 ? '' : ` ${open} were in the sequence when it was published.`}`] };
}

function numberOf(value: Context['options'][string], name: string): number | null {
  if (value === undefined) return null;
  if (typeof value === 'string' && /^\d{1,9}$/.test(value)) return Number(value);
  throw new UsageError(`--${name} is no version: it is a number.`);
}

function lineOf(s: Row): string {
  const state = s['paused'] === true ? `${shown(s['status'])}, paused` : shown(s['status']);
  const version = s['version'] === null ? 'not published' : `version ${shown(s['version'])}`;
  return `${shown(s['slug'])}  ${state}  ${version}  ${shown(s['open_enrollments'])} in it${s['has_draft'] === true ? '  has a draft' : ''}`;
}

function versionLine(v: Row): string {
  const running = v['running'] as Row;
  const becomes = running['choice'] === 'move' ? `, who move to ${shown(running['to'])}` : running['choice'] === 'exit' ? ', who exit' : '';
  return `  version ${shown(v['version'])}  ${shown(v['published_at'])}  ${v['published_by'] === null ? 'by the installation' : `by ${shown(v['published_by'])}`}  ${shown(v['open_enrollments'])} on it${becomes}`;
}

function previewLines(preview: Row): string[] {
  const steps = (preview['steps'] as Row[]).flatMap((step) => [
    `${shown(step['change'])} step ${shown(step['step'])}: ${shown(step['before'])} before it, ${shown(step['at'])} waiting for it, ${shown(step['past'])} past it`,
    ...(step['fields'] as Row[]).map(fieldLine),
  ]);
  const texts = (preview['texts'] as Row[]).map((text) => `${shown(text['change'])} text ${shown(text['name'])}`);
  const settings = (preview['settings'] as Row[]).map(fieldLine);
  const changed = [...steps, ...texts, ...settings];
  const needed = (preview['choice_needed'] as Row[]).map(({ step, waiting }) => `${shown(step)} (${shown(waiting)})`);
  return [
    ...(changed.length === 0
      ? [`It says the same as version ${shown(preview['base_version'])}.`]
      : [`Over version ${shown(preview['base_version'])}:`, ...changed]),
    `${shown(preview['open_enrollments'])} are in the sequence; ${shown(preview['movable'])} of them could move.`,
    ...(needed.length === 0 ? [] : [`Somebody waits for steps that are removed, so publishing needs --running: ${needed.join(', ')}`]),
  ];
}

async function shadow({ store, options }: Context, slug: string): Promise<Answer> {
  if (options['stop'] === true) {
    unwrap(await store.sequences.stopShadow(slug));
    return { data: null, lines: ['The shadow is stopped. What it has decided stays.'] };
  }
  const data: Row = unwrap(await (options['start'] === true ? store.sequences.startShadow(slug) : store.sequences.shadow(slug)));
  const runs = data['runs'] as Row;
  const differences = (data['differences'] as Row[]).map(
    (d) =>
      `  ${shown(d['enrollment'])} ${shown(d['step'])}: ${endOf(d['shadow'])}, rehearsed ${endOf(d['rehearsed'])}${d['why'] === null ? '' : `: ${shown(d['why'])}`}`,
  );
  return {
    data,
    lines: [
      `Version ${shown(data['version'])} ${data['ended_at'] === null ? 'decides beside the version in use and sends nothing' : 'decided until it was stopped'}: ${shown(runs['all'])} enrollments, ${shown(runs['ended'])} of them ended.`,
      ...(data['verdicts'] as Row[]).map((v) => `  ${shown(v['count'])} × ${shown(v['verdict'])} ${shown(v['reason'])}`),
      `${shown(runs['same'])} of ${shown(runs['compared'])} are as rehearsed.`,
      ...differences,
    ],
  };
}

const endOf = (end: unknown) => (end === null ? 'not reached' : `${shown((end as Row)['kind'])} (${shown((end as Row)['reason'])})`);

const fieldLine = ({ field, before, after }: Row) => `  ${shown(field)}: ${shown(before)} → ${shown(after)}`;

function statsLines(data: Row): string[] {
  const { enrolled, open, completed, converted } = data;
  const steps = data['steps'] as Row[];
  const most = data['largestDropOff'] as Row | null;
  return [
    `${shown(enrolled)} enrolled, ${shown(open)} under way, ${shown(completed)} completed, ${shown(converted)} converted${shareOf(data['conversionRate'] as Row)}`,
    ...steps.map((step) => {
      const { step: id, entered, executed, opened, answered, converted: won, dropped } = step;
      return `  ${shown(id)}  ${shown(executed)} of ${shown(entered)} sent, ${shown(opened)} opened, ${shown(answered)} answered, ${shown(won)} converted${shareOf(step['conversionRate'] as Row)}, ${shown(dropped)} lost`;
    }),
    ...(most === null ? [] : [`Most are lost behind ${shown(most['step'])}. ${shown(most['advice'])}`]),
  ];
}

interface ConvertedBehind {
  step: string | null;
  conversions: number;
  time_to_conversion: { quantile: number; seconds: number }[];
  revenue: { currency: string; amount: string }[];
}

function outcomeLines(data: Row): string[] {
  const ends = data['ends'] as Row[];
  const quantiles = data['time_to_conversion'] as { quantile: number; seconds: number }[];
  const hours = quantiles.map(({ quantile, seconds }) => `${100 * quantile}% within ${(seconds / 3_600).toFixed(1)} h`);
  return [
    shown(data['definition']),
    `${shown(data['n'])} enrollments`,
    ...ends.map((end) => `  ${shown(end['cause'])}  ${shown(end['n'])}${shareOf({ rate: end['share'], interval: end['interval'] })}`),
    ...(hours.length === 0 ? [] : [`Of those who converted: ${hours.join(', ')}`]),
    ...(data['by_step'] as ConvertedBehind[]).map(({ step, conversions, time_to_conversion: times, revenue }) => {
      const half = times.find(({ quantile }) => quantile === 0.5);
      const parts = [
        ...(half === undefined ? [] : [`half within ${(half.seconds / 3_600).toFixed(1)} h`]),
        ...revenue.map(({ currency, amount }) => `${currency} ${amount}`),
      ];
      return `  ${step === null ? 'before any message' : `behind ${step}`}  ${[conversions, ...parts].join(', ')}`;
    }),
  ];
}

function shareOf({ rate, interval }: Row): string {
  if (typeof rate !== 'number' || interval === null) return '';
  const { low, high } = interval as { low: number; high: number };
  const percent = (share: number) => `${Math.round(share * 1_000) / 10}%`;
  return ` (${percent(rate)}, ${percent(low)} to ${percent(high)})`;
}
