// `node local/run.mjs <command> …`: the same install step as `npm start`, then a program of node_modules/.bin or a script.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled, nodeVersionProblem, projectRoot } from './install.mjs';

const [command, ...args] = process.argv.slice(2);
if (command === undefined) end(1, 'usage: node local/run.mjs <program of node_modules/.bin | file.ts | file.mjs> [arguments]');

const { engines } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
const problem = nodeVersionProblem(process.version, engines.node);
if (problem !== null) end(1, problem);
try {
  // On the error output: what the command itself prints may be piped on.
  await ensureInstalled(projectRoot, console.error);
} catch (error) {
  end(1, error.message);
}

const windows = process.platform === 'win32';
const program = join(projectRoot, 'node_modules/.bin', windows ? `${command}.cmd` : command);
const isScript = command.endsWith('.ts') || command.endsWith('.mjs');
if (!isScript && !existsSync(program)) end(1, `There is no ${command} in node_modules/.bin.`);
const child = isScript
  ? spawn(process.execPath, ['--import', 'tsx', command, ...args], { cwd: projectRoot, stdio: 'inherit' })
  : spawn(program, args, { cwd: projectRoot, stdio: 'inherit', shell: windows });

// Ctrl-C reaches the child through the terminal; this process waits for the child's exit code.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('error', (error) => end(1, error.message));
child.on('exit', (code) => process.exit(code ?? 1));

function end(code, message) {
  console.error(message);
  process.exit(code);
}
