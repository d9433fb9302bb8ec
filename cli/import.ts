import { createReadStream, statSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { unwrap } from '../sdk/index.ts';
import {
  type Answer,
  asGiven,
  collect,
  type Command,
  type Context,
  NotPossibleError,
  required,
  type Row,
  shown,
  UsageError,
  sorted,
  sortOption,
} from './command.ts';
import { clearProgress, showProgress } from './progress.ts';

export const importLeads: Command = {
  summary: 'import leads from a CSV file',
  usage: `rekindle import <leads.csv> [--campaign ID] [--source NAME] [--column "Rufnummer=phone" …] [--no-wait]
rekindle import list
rekindle import show <id>
rekindle import errors <id>
rekindle import cancel <id>

The first line names the columns; the usual names are understood in many languages. The file is stored, and its rows are then taken in by the worker as by
POST /api/leads; it goes on after a restart, and takes nobody in twice. A row that cannot be used is named with its line, and the others go on.

--campaign   its leads go to this campaign; without it, to every campaign that takes their source
--source     of the leads; default: BULK
--column     what a column holds: email, phone, firstName, lastName, fullName, externalId, sub_id, click_id, interest, message, url, area,
             preferences, value, currency, locale, timeZone, country, region, or ignore
--no-wait    do not stay until it is over`,
  example: 'rekindle import leads.csv --source FAIR --column "Rufnummer=phone"',
  destroys: { cancel: 'A cancelled import cannot go on; the rows it has taken in stay.' },
  takes: 2,
  options: {
    ...sortOption,
    campaign: { type: 'string' },
    source: { type: 'string' },
    column: { type: 'string', multiple: true },
    'no-wait': { type: 'boolean' },
  },
  async run({ store, args: [action, target], options }) {
    const id = () => required(target, 'The import’s id');
    switch (action) {
      case 'list': {
        const data = await collect(store.imports.all({ limit: 100, ...sorted(options) }));
        return { data, lines: data.length === 0 ? ['There are none.'] : data.map(lineOf) };
      }
      case 'show':
        return answerOf(unwrap(await store.imports.get(id())));
      case 'errors': {
        const data = await collect(store.imports.allErrors(id(), { limit: 500 }));
        return { data, lines: data.length === 0 ? ['Nothing is wrong.'] : data.map(errorLine) };
      }
      case 'cancel':
        return answerOf(unwrap(await store.imports.cancel(id())));
      default:
        if (target !== undefined) throw new UsageError(`import has no command "${String(action)}".`);
        return begin(store, required(action, 'The file'), options);
    }
  },
};

async function begin(store: Context['store'], file: string, options: Context['options']): Promise<Answer> {
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) throw new NotPossibleError(`There is no file ${file}.`);
  const { campaign, source } = options;
  const columns = columnsOf(options['column']);
  const query = { campaign, source, ...(columns === null ? {} : { columns: JSON.stringify(columns) }) };
  const begun = unwrap(await store.imports.create(createReadStream(file), asGiven(query)));
  return answerOf(options['no-wait'] === true ? begun : await untilOver(store, begun));
}

function columnsOf(given: Context['options'][string]): Record<string, string> | null {
  if (!Array.isArray(given)) return null;
  return Object.fromEntries(
    given.map((text) => {
      const at = text.lastIndexOf('=');
      if (at < 1) throw new UsageError(`--column ${text}: write the column and what it holds, such as "Rufnummer=phone".`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

async function untilOver(store: Context['store'], begun: Row): Promise<Row> {
  try {
    for (let now = begun; ; now = unwrap(await store.imports.get(String(begun['id'])))) {
      if (now['state'] !== 'running') return now;
      const [done, bytes] = [Number(now['bytes_done']), Number(now['bytes'])];
      showProgress(bytes === 0 ? 1 : Math.min(1, done / bytes), `  ${shown(now['taken_in'])} taken in`);
      await setTimeout(1_000);
    }
  } finally {
    clearProgress();
  }
}

const lineOf = (row: Row) =>
  `${shown(row['id'])}  ${shown(row['state'])}  ${shown(row['rows'])} rows, ${shown(row['taken_in'])} taken in, ${shown(row['mistakes'])} with mistakes`;
const errorLine = (row: Row) => `line ${shown(row['line'])}: ${shown(row['reason'])}${row['taken_in'] === true ? ' (taken in all the same)' : ''}`;

function answerOf(data: Row): Answer {
  const ignored = data['ignored_columns'] as string[];
  return {
    data,
    lines: [
      lineOf(data),
      ...(ignored.length === 0 ? [] : [`Columns that were left out: ${ignored.join(', ')}`]),
      ...(typeof data['fault'] === 'string' ? [data['fault']] : []),
      ...(Number(data['mistakes']) > 0 ? [`What is wrong: rekindle import errors ${shown(data['id'])}`] : []),
    ],
  };
}
