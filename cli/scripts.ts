import { readFile } from 'node:fs/promises';
import { unwrap } from '../sdk/index.ts';
import {
  type Answer,
  asGiven,
  collect,
  type Command,
  type Context,
  jsonOption,
  NotPossibleError,
  required,
  type Row,
  shown,
  UsageError,
  sorted,
  sortOption,
} from './command.ts';
import { unreadable } from './unreadable.ts';

export const scripts: Command = {
  summary: 'texts of one channel that steps use in the place of their own',
  usage: `rekindle scripts create <name> --channel sms --file text.liquid [--translation de=text.de.liquid] [--campaign ID | --default] [--call JSON]
rekindle scripts list
rekindle scripts show <id>
rekindle scripts change <id> [--file text.liquid] [--translation de=text.de.liquid] [--default] [--call JSON]
rekindle scripts delete <id>

A step goes out by the script that it names (script: in its file), else by its campaign's own, else by the default of the channel, else with its own text.
A default goes out in every step of its channel that names no script: where a sequence sends several different texts, name a script in each
step, or write script: own.

--file          the text, as in a file of that channel
--translation   the same in another language; may be given several times, and then stands for all translations
--campaign      the campaign whose own it is
--default       it is the default of its channel
--call          how calls by it are made, such as '{"assistant":"…","maxSeconds":300}'
--about         lead (default) or cart`,
  example: 'rekindle scripts create second-text --channel sms --file second.sms.liquid',
  destroys: { delete: 'The script is deleted; steps go on with their own texts.' },
  takes: { create: 1, list: 0, show: 1, change: 1, delete: 1 },
  options: {
    ...sortOption,
    ...Object.fromEntries(['channel', 'file', 'campaign', 'call', 'about'].map((name) => [name, { type: 'string' as const }])),
    translation: { type: 'string', multiple: true },
    default: { type: 'boolean' },
  },
  async run({ store, args: [action, target], options }) {
    const id = () => required(target, 'The script’s id');
    switch (action) {
      case 'create': {
        const wish = {
          name: required(target, 'The script’s name'),
          channel: required(options['channel'], '--channel'),
          ...(await wordsOf({ ...options, file: required(options['file'], '--file') })),
          ...(options['campaign'] === undefined ? {} : { campaign: options['campaign'] }),
          ...(options['about'] === undefined ? {} : { about: options['about'] }),
        };
        return answerOf(unwrap(await store.scripts.create(asGiven(wish))));
      }
      case 'list': {
        const data = await collect(store.scripts.all({ limit: 100, ...sorted(options) }));
        return { data, lines: data.length === 0 ? ['There are none.'] : data.map(lineOf) };
      }
      case 'show': {
        const data = unwrap(await store.scripts.get(id()));
        return { data, lines: [lineOf(data), '', ...shown(data['content']).split('\n')] };
      }
      case 'change':
        return answerOf(unwrap(await store.scripts.update(id(), asGiven(await wordsOf(options)))));
      case 'delete':
        unwrap(await store.scripts.delete(id()));
        return { data: null, lines: ['It is out of use: steps go on with their own texts.'] };
      default:
        throw new UsageError(action === undefined ? 'What to do is missing.' : `scripts has no command "${action}".`);
    }
  },
};

async function wordsOf(options: Context['options']): Promise<Row> {
  const { file, translation = [] } = options;
  const call = jsonOption(options, 'call');
  const translations = Array.isArray(translation) ? translation.map(translationOf) : [];
  return {
    ...(typeof file === 'string' ? { content: await read(file) } : {}),
    ...(translations.length === 0
      ? {}
      : { translations: Object.fromEntries(await Promise.all(translations.map(async ({ language, path }) => [language, await read(path)]))) }),
    ...(options['default'] === true ? { isDefault: true } : {}),
    ...(call === undefined ? {} : { call }),
  };
}

function translationOf(text: string): { language: string; path: string } {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`--translation ${text} names no language: write it as de=text.de.liquid.`);
  return { language: text.slice(0, at), path: text.slice(at + 1) };
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new NotPossibleError(unreadable(path, error));
  }
}

const answerOf = (data: Row): Answer => ({ data, lines: [lineOf(data)] });

function lineOf({ id, name, channel, campaign, isDefault }: Row): string {
  const place =
    isDefault === true ? 'the default of its channel' : campaign === null ? 'where a step names it' : `of the campaign ${shown(campaign)}`;
  return `${shown(id)}  ${shown(channel)}  ${shown(name)}  ${place}`;
}
