import { z } from 'zod';
import { askApi } from './ask-api.ts';
import { type Credentials, readCredentials } from './credentials.ts';
import { localDir } from './local-files.ts';
import { problemLines } from './sent-effect.ts';
import { StartError } from './start-error.ts';

const usage = `npm run quarantine -- [command]

list             deliveries that could not be read, the oldest first (the default)
list --all       also those that were read again since
show ID          one of them with its body
replay ID        read it again, after its sender or Rekindle was corrected
replay           the same for all that are open

The exit status is 1 where something is left that cannot be read.`;

const note = z.object({ field: z.string(), reason: z.string() });
const setAside = z.object({
  id: z.string(),
  integration: z.string(),
  delivery_id: z.string(),
  topic: z.string(),
  reason: z.string(),
  fields: z.array(note),
  may_be_stop: z.boolean(),
  received_at: z.string(),
  released_at: z.string().nullable(),
});
type SetAside = z.infer<typeof setAside>;
const replay = z.object({ id: z.string(), result: z.string(), detail: z.string() });

try {
  await run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function run([command = 'list', argument, ...rest]: string[]): Promise<void> {
  const credentials = readCredentials(localDir);
  if (credentials === null) throw new StartError('There are no credentials yet. Run npm start first; it writes .rekindle/credentials.json.');
  if (rest.length === 0 && command === 'list' && (argument === undefined || argument === '--all')) return list(credentials, argument === '--all');
  if (rest.length === 0 && command === 'show' && argument !== undefined) return show(credentials, argument);
  if (rest.length === 0 && command === 'replay') return argument === undefined ? replayAll(credentials) : replayOne(credentials, argument);
  throw new StartError(usage);
}

async function list(credentials: Credentials, all: boolean): Promise<void> {
  const found = await readAll(credentials, all);
  if (found.length === 0) return console.log(all ? 'Every delivery could be read.' : 'Nothing waits in the quarantine.');
  for (const d of found) console.log(describe(d));
  const open = found.filter((d) => d.released_at === null);
  if (open.length > 0) {
    console.log(
      `\n${open.length} open, ${open.filter((d) => d.may_be_stop).length} of them may be stops. Once it is corrected: npm run quarantine -- replay`,
    );
    process.exitCode = 1;
  }
}

async function readAll(credentials: Credentials, all: boolean): Promise<SetAside[]> {
  const found: SetAside[] = [];
  for (let path: string | null = `/api/quarantine?open=${!all}&limit=500`; path !== null; ) {
    const answer = await askApi(credentials, path);
    found.push(...z.array(setAside).parse(expectOk(answer)));
    path = answer.next;
  }
  return found;
}

async function show(credentials: Credentials, id: string): Promise<void> {
  const found = setAside.extend({ body: z.string() }).parse(expectOk(await askApi(credentials, `/api/quarantine/${encodeURIComponent(id)}`)));
  console.log(`${describe(found)}\n\n${found.body}`);
}

async function replayOne(credentials: Credentials, id: string): Promise<void> {
  const { result, detail } = replay.parse(expectOk(await askApi(credentials, `/api/quarantine/${encodeURIComponent(id)}/replay`, 'POST')));
  console.log(`${id}  ${detail}`);
  if (result === 'still_unreadable') process.exitCode = 1;
}

async function replayAll(credentials: Credentials): Promise<void> {
  const done = z
    .object({ applied: z.int(), still_unreadable: z.int(), replays: z.array(replay) })
    .parse(expectOk(await askApi(credentials, '/api/quarantine/replay', 'POST')));
  for (const { id, detail } of done.replays) console.log(`${id}  ${detail}`);
  const left = await readAll(credentials, false);
  console.log(`${done.applied} took effect; ${left.length} ${left.length === 1 ? 'is' : 'are'} open.`);
  if (left.length > 0) process.exitCode = 1;
}

function describe(d: SetAside): string {
  const why = d.fields.length === 0 ? [d.reason] : d.fields.map(({ field, reason }) => `${field} ${reason}`);
  const stop = d.may_be_stop ? '  MAY BE A STOP' : '';
  const released = d.released_at === null ? '' : `  released ${d.released_at}`;
  return [`${d.id}  ${d.received_at}  ${d.integration} ${d.topic}${stop}${released}`, ...why.map((line) => `    ${line}`)].join('\n');
}

function expectOk({ status, body }: { status: number; body: unknown }): unknown {
  if (status === 200) return body;
  throw new StartError((problemLines(body) ?? [`The API answered ${status}.`]).join('\n'));
}
