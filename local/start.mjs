// `npm start`: checks Node and the dependencies, then runs local/main.ts and passes on when to stop.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { ensureInstalled, nodeVersionProblem, projectRoot } from './install.mjs';

const usage = `npm start                 everything on this machine, with a demo store
npm start -- --no-demo    without synthetic shoppers
npm start -- --fresh      asks, then removes .rekindle/ (database, emails, credentials) and begins anew; --yes does not ask`;

const known = ['--no-demo', '--fresh', '--yes', '--help'];
const args = process.argv.slice(2);
const unknown = args.filter((arg) => !known.includes(arg));
if (unknown.length > 0) end(1, `${unknown.map((arg) => `${arg} is not an option.`).join('\n')}\n${usage}`);
if (args.includes('--help')) end(0, usage);

const { engines } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
const problem = nodeVersionProblem(process.version, engines.node);
if (problem !== null) end(1, problem);

if (args.includes('--fresh') && !args.includes('--yes')) {
  if (!process.stdin.isTTY) end(1, '--fresh removes all local data and asks first, but nobody is there to answer. Add --yes to go ahead.');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  terminal.on('SIGINT', () => end(1, '\nNothing was removed.'));
  const answer = await terminal.question('Remove .rekindle/ with its database, emails and credentials? [y/N] ');
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) end(1, 'Nothing was removed.');
  args.push('--yes');
}

try {
  await ensureInstalled();
} catch (error) {
  end(1, error.message);
}

// In a process group of its own: Ctrl-C in the terminal reaches this process only, and Rekindle stops in order instead of all at once.
const child = spawn(process.execPath, ['--import', 'tsx', 'local/main.ts', ...args], {
  cwd: projectRoot,
  detached: true,
  windowsHide: true,
  stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
});

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (stopping) return console.log('Already stopping: what is under way is finished first (30 s at most).');
    stopping = true;
    // A message, not a signal: it works alike on every platform. A closed channel stops the child as well.
    if (child.connected) child.send('stop', () => {});
  });
}

child.on('error', (error) => end(1, error.message));
child.on('exit', (code) => process.exit(code ?? 1));

function end(code, message) {
  console[code === 0 ? 'log' : 'error'](message);
  process.exit(code);
}
