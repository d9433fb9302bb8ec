import { setTimeout } from 'node:timers/promises';
import { unwrap } from '../sdk/index.ts';
import { type Answer, asGiven, collect, type Command, type Context, required, type Row, shown, UsageError, sorted, sortOption } from './command.ts';
import { clearProgress, showProgress } from './progress.ts';

export const bulk: Command = {
  summary: 'take old carts or leads into a sequence, bit by bit',
  usage: `rekindle bulk start <sequence> --per-hour N | --per-day N [--most N] [--active-from 2026-01-01] [--active-until 2026-06-01] [--watch]
rekindle bulk list
rekindle bulk show <id> [--watch]
rekindle bulk pause | resume | cancel <id>

The version in use must have been run over your history (rekindle backtest), and nobody may have been found who would have got a message after buying.
Every person is checked: whoever has opted out, is suppressed, has bought, is in a sequence of that name or was in it is left out, and counted. Nobody is
taken in twice. The worker does it, at that rate at most, and goes on after a restart.

--per-hour, --per-day   so many people at most
--most                  so many altogether
--active-from, -until   only what was active last in that time
--watch                 stay and show how far it is`,
  example: 'rekindle bulk start lead-nurture --per-day 200 --most 1000 --watch',
  destroys: { cancel: 'A cancelled bulk enrollment takes in nobody else and cannot go on.' },
  takes: { start: 1, list: 0, show: 1, pause: 1, resume: 1, cancel: 1 },
  options: {
    ...sortOption,
    ...Object.fromEntries(['per-hour', 'per-day', 'most', 'active-from', 'active-until'].map((name) => [name, { type: 'string' as const }])),
    watch: { type: 'boolean' },
  },
  async run({ store, args: [action, target], options }) {
    const id = () => required(target, 'The bulk enrollment’s id');
    const watched = async (job: Row) => answerOf(options['watch'] === true ? await untilOver(store, job) : job);
    switch (action) {
      case 'start':
        return watched(unwrap(await store.bulkEnrollments.start(asGiven(wishOf(required(target, 'The sequence'), options)))));
      case 'list': {
        const data = await collect(store.bulkEnrollments.all({ limit: 100, ...sorted(options) }));
        return { data, lines: data.length === 0 ? ['There are none.'] : data.map(lineOf) };
      }
      case 'show':
        return watched(unwrap(await store.bulkEnrollments.get(id())));
      case 'pause':
      case 'resume':
      case 'cancel':
        return answerOf(unwrap(await store.bulkEnrollments[action](id())));
      default:
        throw new UsageError(action === undefined ? 'What to do is missing.' : `bulk has no command "${action}".`);
    }
  },
};

function wishOf(sequence: string, options: Context['options']): Row {
  const [hour, day] = [options['per-hour'], options['per-day']];
  if ((hour === undefined) === (day === undefined)) throw new UsageError('Say how many people at most: --per-hour N or --per-day N.');
  const rate = hour === undefined ? { people: numberOf(day, '--per-day'), per: 'day' } : { people: numberOf(hour, '--per-hour'), per: 'hour' };
  return {
    sequence,
    ...rate,
    ...(options['most'] === undefined ? {} : { most: numberOf(options['most'], '--most') }),
    ...(options['active-from'] === undefined ? {} : { active_from: timeOf(options['active-from'], '--active-from') }),
    ...(options['active-until'] === undefined ? {} : { active_until: timeOf(options['active-until'], '--active-until') }),
  };
}

function numberOf(text: Context['options'][string], name: string): number {
  if (typeof text === 'string' && /^[1-9]\d{0,7}$/.test(text)) return Number(text);
  throw new UsageError(`${name} ${String(text)} is no whole number.`);
}

function timeOf(text: Context['options'][string], name: string): string {
  const ms = typeof text === 'string' && /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw new UsageError(`${name} ${String(text)} is no date: write it like 2026-01-31.`);
  return new Date(ms).toISOString();
}

async function untilOver(store: Context['store'], job: Row): Promise<Row> {
  try {
    for (let now = job; ; now = unwrap(await store.bulkEnrollments.get(String(job['id'])))) {
      if (now['state'] !== 'running') return now;
      const [examined, candidates] = [Number(now['examined']), Number(now['candidates'])];
      showProgress(candidates === 0 ? 1 : Math.min(1, examined / candidates), `  ${shown(now['enrolled'])} taken in`);
      await setTimeout(1_000);
    }
  } finally {
    clearProgress();
  }
}

const lineOf = (job: Row) =>
  `${shown(job['id'])}  ${shown(job['sequence'])} version ${shown(job['version'])}  ${shown(job['state'])}  ${shown(job['enrolled'])} taken in, ${shown(job['examined'])} of ${shown(job['candidates'])} looked at`;

const becauseOf: Readonly<Record<string, string>> = {
  version_changed: 'Another version is in use now, which this was not backtested for. Cancel it, backtest that version, and start again.',
  sequence_not_active: 'The sequence takes nobody at present. Resume this when it does.',
};

function answerOf(data: Row): Answer {
  const refused = Object.entries((data['refused'] ?? {}) as Record<string, number>);
  const because = data['paused_because'];
  return {
    data,
    lines: [
      lineOf(data),
      `At most ${shown(data['people'])} people ${data['per'] === 'day' ? 'a day' : 'an hour'}`,
      ...(refused.length === 0 ? [] : [`Left out: ${refused.map(([reason, n]) => `${n} ${reason}`).join(', ')}`]),
      ...(typeof because === 'string' ? [becauseOf[because] ?? because] : []),
    ],
  };
}
