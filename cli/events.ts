import { readFileSync } from 'node:fs';
import { unwrap } from '../sdk/index.ts';
import { type Answer, asGiven, type Command, type Context, jsonOption, required, type Row, shown, UsageError } from './command.ts';

/** What a store's own code reports, from a command line. */
export const events: Command = {
  summary: 'report events as your own code does; read what has happened since',
  usage: `rekindle events send <type> --data JSON [--id ID] [--timestamp TIME]
rekindle events send --file FILE                              an event as JSON in each line: { "id", "type", "timestamp", "data" }
rekindle events since [CURSOR] [--type TYPE …] [--personal-data]  what has happened since; without a cursor, the cursor of now
--connection ID                                               of the integration generic; the store's oldest one, where it is left out

The same id again has no effect. docs/webhooks.md shows each event's data. rekindle send makes up what you do not say.
The exit status is 1 where an event was not accepted.`,
  example: `rekindle events send contact.opted_out --data '{"contact":{"email":"ada@example.com"}}' --id optout-17`,
  takes: { send: 1, since: 1 },
  options: {
    data: { type: 'string' },
    id: { type: 'string' },
    timestamp: { type: 'string' },
    file: { type: 'string' },
    connection: { type: 'string' },
    type: { type: 'string', multiple: true },
    'personal-data': { type: 'boolean' },
  },
  async run({ store, args: [action, type], options }) {
    if (action === 'since') return since(store, type, options);
    if (action !== 'send') throw new UsageError('Say send or since.');
    const reported = options['file'] === undefined ? [oneOf(type, options)] : readLines(String(options['file']));
    const connection = options['connection'] === undefined ? {} : { connection: options['connection'] };
    const results: Row[] = [];
    for (let from = 0; from < reported.length; from += atOnce) {
      const page = reported.slice(from, from + atOnce);
      results.push(...unwrap(await store.events.create(asGiven({ events: page, ...connection }))).data);
    }
    return answerOf(results);
  },
};

async function since(store: Context['store'], after: string | undefined, options: Context['options']): Promise<Answer> {
  const { type: types } = options;
  const wish = {
    ...(Array.isArray(types) ? { types: types.join(',') } : {}),
    ...(options['personal-data'] === true ? { personal_data: 'true' as const } : {}),
  };
  const data: Row[] = [];
  for (let cursor = after; ; ) {
    const page = unwrap(await store.events.since({ ...wish, ...(cursor === undefined ? {} : { after: cursor }) }));
    data.push(...page.data);
    if (!page.more) return { data: { events: data, cursor: page.cursor }, lines: [...data.map(eventLine), `Cursor: ${page.cursor}`] };
    ({ cursor } = page);
  }
}

const eventLine = (event: Row) => `${shown(event['timestamp'])}  ${shown(event['type']).padEnd(24)}  ${JSON.stringify(event['data'])}`;

const atOnce = 100;

function oneOf(type: string | undefined, options: Record<string, unknown>): Row {
  const data = jsonOption(options as Parameters<typeof jsonOption>[0], 'data');
  if (data === undefined) throw new UsageError('--data is missing.');
  const more = Object.fromEntries(['id', 'timestamp'].flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])));
  return { type: required(type, 'The type of the event'), data, ...more };
}

function readLines(file: string): Row[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    try {
      return [JSON.parse(line) as Row];
    } catch {
      throw new UsageError(`Line ${index + 1} of ${file} is no JSON.`);
    }
  });
}

function answerOf(results: Row[]): Answer {
  const lines = results.flatMap((one) => [
    `${shown(one['id'])}  ${shown(one['status'])}`,
    ...(one['fields'] as Row[]).map((field) => `    ${shown(field['field'])} ${shown(field['reason'])}`),
  ]);
  return { data: results, lines, failed: results.some(({ status }) => status === 'refused' || status === 'busy') };
}
