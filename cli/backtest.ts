import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { parseSequence } from '../domain/sequence/parse-sequence.ts';
import { describeFileErrors } from '../domain/yaml-file.ts';
import { unwrap } from '../sdk/index.ts';
import { type Answer, type Command, type Context, NotPossibleError, required, type Row, shown, UsageError } from './command.ts';
import { clearProgress, showProgress } from './progress.ts';
import { readText } from './sequence-file.ts';

export const backtest: Command = {
  summary: 'what a sequence would have done over the store’s own history',
  usage: `rekindle backtest <sequence | file.yaml> [--since 90d] [--price sms=0.07 …] [--version N]
rekindle backtest show <id>    of an earlier one

Runs the stored events of real people through the sequence, by the rules that dispatch real messages, and says how many messages would have gone out, when, at
what cost, to whom not and why. <sequence> is one of the store, or a file of your own. Nothing is sent or changed. docs/rehearsal.md says what it cannot know.

--since      how far back, in days: 90d
--price      of one message on a channel, in the store's currency; may be given for several
--version    a published version; without it the one in use

The exit status is 1 where somebody would have got a message after buying.`,
  example: 'rekindle backtest cart --since 90d --price sms=0.07',
  takes: 2,
  options: { since: { type: 'string' }, price: { type: 'string', multiple: true }, version: { type: 'string' } },
  async run({ store, args: [wanted, id, extra], options }) {
    const what = required(wanted, 'The sequence to run');
    if (extra !== undefined || (id !== undefined && what !== 'show'))
      throw new UsageError(`"${extra ?? id ?? ''}" is too much for rekindle backtest.`);
    if (what === 'show') return answerOf(unwrap(await store.backtests.get(required(id, 'The backtest’s id'))));
    const days = daysOf(options['since']);
    const source = isFile(what) ? yamlOf(what) : { sequence: what };
    if ('errors' in source) return { data: source, lines: [source.errors], failed: true };
    const version = options['version'] === undefined ? {} : { version: numberOf(options['version'], '--version') };
    const body = { ...source, ...version, ...(days === null ? {} : { days }), ...pricesOf(options['price']) };
    const begun = unwrap(await store.backtests.start(body));
    return answerOf(await untilDone(store, begun.id));
  },
};

const isFile = (what: string) => /[./]/.test(what) || existsSync(what);

function yamlOf(file: string): { yaml: string } | { file: string; errors: string } {
  const yaml = readText(file);
  const parsed = parseSequence(yaml);
  return parsed.ok ? { yaml } : { file, errors: describeFileErrors(file, parsed.errors) };
}

function daysOf(since: Context['options'][string]): number | null {
  if (typeof since !== 'string') return null;
  const days = /^([1-9]\d{0,2})d$/.exec(since);
  if (days === null) throw new UsageError(`--since ${since}: write days, such as 90d.`);
  return Number(days[1]);
}

function numberOf(text: Context['options'][string], name: string): number {
  if (typeof text === 'string' && /^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`${name} ${String(text)} is no whole number.`);
}

function pricesOf(given: Context['options'][string]): { prices?: Record<string, number> } {
  if (!Array.isArray(given)) return {};
  const prices = given.map((text): [string, number] => {
    const [, channel = '', price] = /^([a-z]+)=(\d+(?:\.\d+)?)$/.exec(text) ?? [];
    if (price === undefined) throw new UsageError(`--price ${text}: write a channel and the price of one message, such as sms=0.07.`);
    return [channel, Number(price)];
  });
  return { prices: Object.fromEntries(prices) };
}

async function untilDone(store: Context['store'], id: string): Promise<Row> {
  try {
    for (;;) {
      const now = unwrap(await store.backtests.get(id));
      if (now.state !== 'running') return now;
      showProgress(now.progress);
      await setTimeout(500);
    }
  } finally {
    clearProgress();
  }
}

function answerOf(data: Row): Answer {
  if (data['state'] === 'failed') throw new NotPossibleError(String(data['error']));
  const report = data['report'] as Row | null;
  if (report === null) return { data, lines: [`${String(data['id'])} is running: ${Math.floor(Number(data['progress']) * 100)} %.`] };
  const wronged = report['messaged_after_buying'] as { people: number; examples: string[] };
  return { data, lines: [...linesOf(data, report), ...afterBuying(wronged)], failed: wronged.people > 0 };
}

type Counts = Record<string, number>;

function linesOf(data: Row, report: Row): string[] {
  const enrollments = report['enrollments'] as Counts & { stopped: Counts };
  const messages = report['messages'] as { total: number; by_channel: Counts; by_step: Counts; by_day: Row[]; busiest_day: Row | null };
  const cost = report['cost'] as { currency: string | null; total: number; by_channel: Counts } | null;
  const collisions = report['collisions'] as Counts & { by_sequence: Counts };
  const suppressed = report['suppressed'] as { people: number; share: number };
  const version = data['version'] === null ? 'a file' : `version ${shown(data['version'])}`;
  return [
    `${String(data['sequence'])}, ${version}, ${String(report['since']).slice(0, 10)} to ${String(report['until']).slice(0, 10)}   ${String(data['id'])}`,
    '',
    `Begun        ${enrollments['begun']}: ${listed({ completed: enrollments['completed'] ?? 0, 'held out': enrollments['held_out'] ?? 0, running: enrollments['running'] ?? 0, ...enrollments.stopped })}`,
    `Not begun    ${listed(report['not_begun'] as Counts)}`,
    `Messages     ${messages.total}: ${listed(messages.by_channel)}`,
    `By step      ${listed(messages.by_step)}`,
    ...(messages.busiest_day === null ? [] : [`Busiest day  ${String(messages.busiest_day['day'])}: ${String(messages.busiest_day['messages'])}`]),
    ...(cost === null ? [] : [`Cost         ${cost.total} ${cost.currency ?? ''}`.trimEnd()]),
    `Put off      ${listed(report['deferred'] as Counts)}`,
    `Left out     ${listed(report['skipped'] as Counts)}`,
    `Collisions   ${collisions['enrollments']} with ${listed(collisions.by_sequence)}; ${collisions['steps_put_off']} steps put off, ${collisions['steps_capped']} capped`,
    `Suppressed   ${suppressed.people} people, ${Math.round(suppressed.share * 1_000) / 10} %`,
    ...(messages.by_day.length === 0 ? [] : ['', ...dayLines(messages.by_day)]),
    '',
  ];
}

const listed = (counts: Counts) => {
  const some = Object.entries(counts).filter(([, n]) => n > 0);
  return some.length === 0 ? 'none' : some.map(([name, n]) => `${n} ${name}`).join(', ');
};

/** One line a day, with a bar for each channel's share of the busiest. */
function dayLines(byDay: readonly Row[]): string[] {
  const most = Math.max(...byDay.map((row) => Number(row['messages'])));
  return byDay.map(({ day, channel, messages }) => {
    const bar = '#'.repeat(Math.max(1, Math.round((Number(messages) / most) * 40)));
    return `${String(day)}  ${String(channel).padEnd(9)}${String(messages).padStart(7)}  ${bar}`;
  });
}

function afterBuying({ people, examples }: { people: number; examples: string[] }): string[] {
  if (people === 0) return ['Nobody would have got a message after buying.'];
  return [`${people} people would have got a message AFTER BUYING. Do not use it. Contacts: ${examples.join(', ')}`];
}
