import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ApiError, RekindleClient, UnreachableError } from '../sdk/client.ts';
import { type Command, type Context, NotPossibleError, UsageError } from './command.ts';
import { backtest } from './backtest.ts';
import { bulk } from './bulk.ts';
import { campaigns } from './campaigns.ts';
import { compositions } from './compositions.ts';
import { conversions } from './conversions.ts';
import { contacts } from './contacts.ts';
import { connections } from './connections.ts';
import { readCredentials } from './credentials.ts';
import { explain as explainCommand } from './explain.ts';
import { importLeads } from './import.ts';
import { lint } from './lint.ts';
import { offers } from './offers.ts';
import { parked } from './parked.ts';
import { pause } from './pause.ts';
import { quarantine } from './quarantine.ts';
import { reEnroll } from './re-enroll.ts';
import { rehearse } from './rehearse.ts';
import { resume } from './resume.ts';
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
import { tasks } from './tasks.ts';
import { telegram } from './telegram.ts';
import { tenants } from './tenants.ts';

// A new command is one file and one line here.
const commands: Readonly<Record<string, Command>> = {
  connections,
  settings,
  tenants,
  contacts,
  suppressions,
  offers,
  compositions,
  quarantine,
  parked,
  status,
  send,
  stop,
  pause,
  resume,
  skip,
  snooze,
  'send-now': sendNow,
  takeover,
  release,
  're-enroll': reEnroll,
  explain: explainCommand,
  lint,
  rehearse,
  preview,
  'send-test': sendTest,
  sequences,
  backtest,
  bulk,
  campaigns,
  import: importLeads,
  conversions,
  schema,
  scripts,
  tasks,
  telegram,
};

const usage = `rekindle <command> [options]

${Object.entries(commands)
  .map(([name, { summary }]) => `${name.padEnd(14)}${summary}`)
  .join('\n')}

--json        the API's answer as JSON, for programs; an error as the API's problem details, on the error output
--help        with a command: how it is used

It speaks to REKINDLE_API_URL with REKINDLE_API_KEY (tenants: REKINDLE_INSTALLATION_KEY), or to what npm start runs on this machine.
The exit status is 1 where something could not be done, 2 where the command line is wrong.`;

/** A reader that has seen enough (`rekindle … | head`) closes the pipe: that is no fault, and nothing is left to say. */
export function endQuietly(): void {
  for (const output of [process.stdout, process.stderr]) {
    output.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

export async function main(argv: string[], say: (line: string) => void, complain: (line: string) => void): Promise<number> {
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
      options: { json: { type: 'boolean' }, help: { type: 'boolean' }, ...command.options },
      allowPositionals: true,
    });
    if (values['help'] === true) {
      say(command.usage);
      return 0;
    }
    refuseExtra(positionals, name, command);
    const answer = await command.run(contextOf(positionals, values as Context['options']));
    if (values['json'] === true) say(JSON.stringify(answer.data, null, 2));
    else for (const line of answer.lines) say(line);
    return answer.failed === true ? 1 : 0;
  } catch (error) {
    return explain(error, command, complain, rest.includes('--json'));
  }
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
  return {
    store: new RekindleClient(apiUrl, apiKey ?? ''),
    installation() {
      if (installationKey === null) throw new UsageError('Set REKINDLE_INSTALLATION_KEY to the installation’s key.');
      return new RekindleClient(apiUrl, installationKey);
    },
    args,
    options,
  };
}

function explain(error: unknown, command: Command, complain: (line: string) => void, asJson: boolean): number {
  if (error instanceof ApiError) {
    if (asJson) {
      complain(JSON.stringify(error.body, null, 2));
      return 1;
    }
    complain(error.message);
    for (const { path, message } of error.errors) complain(`  ${path} ${message}`);
    for (const { field, reason } of error.fields) complain(`  ${field} ${reason}`);
    if (error.status === 401)
      complain(
        'Set REKINDLE_API_KEY to the store’s key (for tenants REKINDLE_INSTALLATION_KEY), or start Rekindle here: npm start renews .rekindle/credentials.json.',
      );
    return 1;
  }
  if (error instanceof UnreachableError || error instanceof NotPossibleError) {
    complain(error.message);
    return 1;
  }
  // `parseArgs` throws TypeErrors that name the option.
  if (error instanceof UsageError || error instanceof TypeError) {
    complain(`${error.message}\n\n${command.usage}`);
    return 2;
  }
  throw error;
}
