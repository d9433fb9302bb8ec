import { readCredentials } from '../../cli/credentials.ts';
import { startWebhookReceiver } from '../helpers/webhook-receiver.ts';
import { walkEveryCommand } from './every-command.ts';
import { walkEveryTool } from './every-tool.ts';

// npm run walk: every command of the command line, and every tool for agents, against a running system. It leaves what it made in that store, so give
// it one for trying things out: what `npm start` runs, or another by REKINDLE_API_URL, REKINDLE_API_KEY and REKINDLE_INSTALLATION_KEY.

const { apiUrl, apiKey, installationKey } = readCredentials(process.env, '.rekindle');
if (apiKey === null || installationKey === null) {
  console.error('No store to walk in: run npm start first, or set REKINDLE_API_URL, REKINDLE_API_KEY and REKINDLE_INSTALLATION_KEY.');
  process.exit(2);
}

/** As the person who was invited does on the page of the link. */
async function accept(link: string): Promise<void> {
  const { origin, hash } = new URL(link);
  const answer = await fetch(new URL('/api/session/invitation/accept', apiUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin },
    body: JSON.stringify({ token: hash.slice(1), name: 'An Example', password: 'a-long-example-passphrase-9' }),
  });
  if (!answer.ok) throw new Error(`the invitation was answered ${answer.status}: ${await answer.text()}`);
}

const receiver = await startWebhookReceiver();
try {
  const startedMs = performance.now();
  const cli = await walkEveryCommand({ apiUrl, hook: receiver.url, accept, say: (part) => console.log(part) });
  const untried = cli.untried();

  const email = `tools-${Date.now()}@example.com`;
  await cli.human('send', 'cart.updated', '--email', email, '--value', '129.90');
  const [enrollment] = await cli.json<{ id: string; contact: string }[]>('enrollments', 'list', '--email', email);
  const [assessed] = await cli.json<{ account: string }[]>('risk', 'list');
  const world = { email, contact: enrollment?.contact ?? '', enrollment: enrollment?.id ?? '', account: assessed?.account ?? '' };
  const tools = await walkEveryTool(apiUrl, apiKey, world);
  // One of the tools has paused it: the next walk needs it.
  await cli.human('sequences', 'resume', 'cart');

  const seconds = Math.round((performance.now() - startedMs) / 1_000);
  console.log(`${cli.passed} runs of commands, human and --json, and ${tools.tried} tools did what they say, in ${seconds} s.`);
  for (const name of [...untried, ...tools.untried]) console.error(`not tried: ${name}`);
  process.exitCode = untried.length + tools.untried.length === 0 ? 0 : 1;
} finally {
  await receiver.close();
}
