import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createClient, RekindleError } from '../sdk/index.ts';
import { type Command, type Context, NotPossibleError, UsageError } from './command.ts';
import { attribution } from './attribution.ts';
import { alarms } from './alarms.ts';
import { audit } from './audit.ts';
import { backtest } from './backtest.ts';
import { bulk } from './bulk.ts';
import { enroll } from './enroll.ts';
import { enrollments } from './enrollments.ts';
import { move } from './move.ts';
import { campaigns } from './campaigns.ts';
import { completion } from './completion.ts';
import { compositions } from './compositions.ts';
import { type Confirm, terminalConfirm } from './confirm.ts';
import { conversions } from './conversions.ts';
import { contacts } from './contacts.ts';
import { connections } from './connections.ts';
import { readCredentials } from './credentials.ts';
import { events } from './events.ts';
import { experiments } from './experiments.ts';
import { erase } from './erase.ts';
import { erasures } from './erasures.ts';
import { drills } from './drills.ts';
import { doctor } from './doctor.ts';
import { explain as explainCommand } from './explain.ts';
import { importLeads } from './import.ts';
import { keys } from './keys.ts';
import { members } from './members.ts';
import { people } from './people.ts';
import { learning } from './learning.ts';
import { lint } from './lint.ts';
import { mcp } from './mcp.ts';
import { notifications } from './notifications.ts';
import { offers } from './offers.ts';
import { parked } from './parked.ts';
import { pause } from './pause.ts';
import { quarantine } from './quarantine.ts';
import { reEnroll } from './re-enroll.ts';
import { rehearse } from './rehearse.ts';
import { retention } from './retention.ts';
import { resume } from './resume.ts';
import { risk } from './risk.ts';
import { schema } from './schema.ts';
import { send } from './send.ts';
import { sequences } from './sequences.ts';
import { settings } from './settings.ts';
import { preview } from './preview.ts';
import { scripts } from './scripts.ts';
import { sendNow } from './send-now.ts';
import { sendTest } from './send-test.ts';
import { skip } from './skip.ts';
import { snooze } from './snooze.ts';
import { status } from './status.ts';
import { stop } from './stop.ts';
import { suppressions } from './suppressions.ts';
import { release, takeover } from './takeover.ts';
import { suggestions } from './suggestions.ts';
import { tasks } from './tasks.ts';
import { telegram } from './telegram.ts';
import { tenants } from './tenants.ts';
import { webhooks } from './webhooks.ts';

// A new command is one file and one line here.
export const commands: Readonly<Record<string, Command>> = {
  connections,
  settings,
  tenants,
  keys,
  members,
  people,
  alarms,
  drills,
  audit,
  contacts,
  erase,
  erasures,
  retention,
  suppressions,
  offers,
  compositions,
  quarantine,
  parked,
  status,
  doctor,
  send,
  stop,
  pause,
  resume,
  skip,
  snooze,
  'send-now': sendNow,
  takeover,
  release,
  enroll,
  're-enroll': reEnroll,
  explain: explainCommand,
  lint,
  rehearse,
  preview,
  'send-test': sendTest,
  sequences,
  backtest,
  bulk,
  enrollments,
  move,
  campaigns,
  import: importLeads,
  conversions,
  attribution,
  learning,
  suggestions,
  experiments,
  risk,
  events,
  webhooks,
  schema,
  scripts,
  tasks,
  notifications,
  telegram,
  mcp,
  completion: completion(() => commands),
};

const usage = `rekindle <command> [options]

${Object.entries(commands)
  .map(([name, { summary }]) => `${name.padEnd(14)}${summary}`)
  .join('\n')}

--json        the API's answer as JSON, for programs; an error as the API's problem details, on the error output
--help        with a command: how it is used

It speaks to REKINDLE_API_URL with REKINDLE_API_KEY (tenants: REKINDLE_INSTALLATION_KEY), or to what npm start runs on this machine.
Commands that take something away for good ask first; where nobody can be asked, as in a script, they want --yes.
The exit status is 0 where all went well, 1 where something could not be done or was found wrong, 2 where the command line is wrong.`;

/** A reader that has seen enough (`rekindle … | head`) closes the pipe: that is no fault, and nothing is left to say. */
export function endQuietly(): void {
  for (const output of [process.stdout, process.stderr]) {
    output.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

/** @param confirm - asks before something is taken away for good; null: nobody can be asked */
export async function main(
  argv: string[],
  say: (line: string) => void,
  complain: (line: string) => void,
  confirm: Confirm | null = terminalConfirm(),
): Promise<number> {
  const [name = '', ...rest] = argv;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    const wanted = name === '' || name === 'help' || name === '--help';
    (wanted ? say : complain)(wanted ? usage : `There is no command "${name}".\n\n${usage}`);
    return wanted ? 0 : 2;
  }
  try {
    const { values, positionals } = parseArgs({
      args: rest,
      options: {
        ...{ json: { type: 'boolean' }, help: { type: 'boolean' }, ...command.options },
        ...(command.destroys === undefined ? {} : { yes: { type: 'boolean' } }),
      },
      allowPositionals: true,
    });
    if (values['help'] === true) {
      say(helpOf(command));
      return 0;
    }
    refuseExtra(positionals, name, command);
    if (values['yes'] !== true && (values as Context['options'])['dry-run'] !== true && !(await isMeant(positionals, command, confirm))) {
      complain('Nothing was done.');
      return 1;
    }
    const answer = await command.run(contextOf(positionals, values as Context['options']));
    if (values['json'] === true) say(JSON.stringify(answer.data, null, 2));
    else for (const line of answer.lines) say(line);
    return answer.failed === true ? 1 : 0;
  } catch (error) {
    return explain(error, command, complain, rest.includes('--json'));
  }
}

const helpOf = ({ usage: text, destroys, example, options = {} }: Command) =>
  [
    text,
    '',
    ...(destroys === undefined ? [] : [`--yes   do not ask${typeof destroys === 'string' ? '' : ` before ${Object.keys(destroys).join(', ')}`}`]),
    ...('sort' in options
      ? ['--sort  FIELD of the list: the smallest or earliest first; -FIELD: the largest or latest. Every list has created_at']
      : []),
    '--json  the answer for programs',
    '',
    `Example: ${example}`,
  ].join('\n');

/** Whether something may be taken away for good. @throws UsageError where nobody can be asked */
async function isMeant([action = '', target]: readonly string[], { destroys = {} }: Command, confirm: Confirm | null): Promise<boolean> {
  const itself = typeof destroys === 'string';
  const what = itself ? destroys : Object.hasOwn(destroys, action) ? destroys[action] : undefined;
  // Without a target the command itself says what is missing.
  if (what === undefined || (itself ? action === '' : target === undefined)) return true;
  if (confirm === null) throw new UsageError(`${what} Say --yes if that is meant.`);
  return confirm(`${what} Go on?`);
}

/** An argument that nothing reads is a mistake: what was meant by it would silently not be done. */
function refuseExtra(args: readonly string[], name: string, { takes }: Command): void {
  const [action] = args;
  // A command that is not known is refused by name.
  const most = typeof takes === 'number' ? takes : action === undefined || !Object.hasOwn(takes, action) ? null : 1 + (takes[action] ?? 0);
  const extra = most === null ? [] : args.slice(most);
  if (extra.length === 0) return;
  const full = typeof takes === 'number' ? name : `${name} ${action ?? ''}`;
  throw new UsageError(`"${extra.join(' ')}" is too much for rekindle ${full}.`);
}

function contextOf(args: string[], options: Context['options']): Context {
  const { apiUrl, apiKey, installationKey } = readCredentials(process.env, join(process.cwd(), '.rekindle'));
  const client = (key: string) => createClient({ baseUrl: apiUrl, apiKey: key, retries: 0 });
  return {
    store: client(apiKey ?? ''),
    installation() {
      if (installationKey === null) throw new UsageError('Set REKINDLE_INSTALLATION_KEY to the installation’s key.');
      return client(installationKey);
    },
    args,
    options,
  };
}

function explain(error: unknown, command: Command, complain: (line: string) => void, asJson: boolean): number {
  if (error instanceof RekindleError && error.status === 0) {
    complain(`${error.message} Is Rekindle running? npm start starts it on this machine; REKINDLE_API_URL names another.`);
    return 1;
  }
  if (error instanceof RekindleError) {
    if (asJson) {
      complain(JSON.stringify(error.body, null, 2));
      return 1;
    }
    complain(error.code === 'invalid_request' && error.errors.length > 0 ? 'This cannot be used:' : error.message);
    for (const { path, message } of error.errors) complain(`  ${inWords(path, message)}`);
    for (const { field, reason } of error.fields) complain(`  ${field} ${reason}`);
    if (error.status === 401)
      complain(
        'Set REKINDLE_API_KEY to the store’s key (for tenants REKINDLE_INSTALLATION_KEY), or start Rekindle here: npm start renews .rekindle/credentials.json.',
      );
    return 1;
  }
  if (error instanceof NotPossibleError) {
    complain(error.message);
    return 1;
  }
  const wrong = error instanceof UsageError ? error.message : wrongOption(error);
  if (wrong === null) throw error;
  complain(`${wrong}\n\n${command.usage}`);
  return 2;
}

/** What is wrong with an option, where `parseArgs` refused it: its own words are for programmers. @returns null for any other error */
function wrongOption(error: unknown): string | null {
  if (!(error instanceof TypeError) || !('code' in error)) return null;
  const option = /'(?:-\w, )?(-[^\s']*)/.exec(error.message)?.[1] ?? '';
  switch (error.code) {
    case 'ERR_PARSE_ARGS_UNKNOWN_OPTION':
      return `There is no option ${option}.`;
    case 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE':
      if (/does not take/.test(error.message)) return `${option} takes no value.`;
      return /ambiguous/.test(error.message)
        ? `${option} needs a value; one that begins with a dash is written ${option}=-VALUE.`
        : `${option} needs a value.`;
    default:
      return null;
  }
}

/** A fault of the request in the words of the command line, which knows neither a body nor a query. */
function inWords(path: string, message: string): string {
  const name = path.replace(/^(?:body|querystring|params|headers)\/?/, '').replaceAll('/', '.');
  const choice = /^Invalid option: expected one of (.+)$/.exec(message)?.[1];
  if (choice !== undefined) return `${name} is none of ${choice.replaceAll('"', '').split('|').join(', ')}`;
  if (message.startsWith('Unrecognized key')) return `${name} is not known`;
  if (message === 'Invalid ISO datetime') return `${name} is no time, such as 2026-03-10T10:00:00Z`;
  return `${name} ${message}`;
}
