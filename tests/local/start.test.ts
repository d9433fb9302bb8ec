import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { installState, projectRoot } from '../../local/install.mjs';

// A stand-in for main.ts: it records in a file what reached it, and takes a while to stop.
const pseudoMain = `
import { appendFileSync } from 'node:fs';
const note = (word: string) => appendFileSync('notes', word + '\\n');
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => note(signal));
process.on('message', (message) => {
  note('message ' + message);
  setTimeout(() => { note('stopped cleanly'); process.exit(0); }, 600);
});
process.on('disconnect', () => { note('disconnected'); process.exit(0); });
setInterval(() => {}, 1000);
note('started ' + process.argv.slice(2).join(' '));
`;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rekindle-start-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'local'));
  mkdirSync(join(root, 'node_modules'));
  for (const file of ['start.mjs', 'install.mjs']) copyFileSync(join(projectRoot, 'local', file), join(root, 'local', file));
  writeFileSync(join(root, 'local/main.ts'), pseudoMain);
  writeFileSync(join(root, 'package.json'), JSON.stringify({ type: 'module', engines: { node: '>=20' } }));
  writeFileSync(join(root, 'package-lock.json'), '{}');
  writeFileSync(join(root, 'notes'), '');
  writeFileSync(join(root, 'node_modules/.rekindle-lock-hash'), installState(root).wanted);
  symlinkSync(join(projectRoot, 'node_modules/tsx'), join(root, 'node_modules/tsx'));
});

const notes = () => readFileSync(join(root, 'notes'), 'utf8').trim().split('\n');

/** In a process group of its own, as a terminal makes one for a command. */
function start(...args: string[]): { child: ChildProcess; output: () => string; ended: Promise<number | null> } {
  const child = spawn(process.execPath, ['local/start.mjs', ...args], { cwd: root, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, output: () => output, ended: new Promise((resolve) => child.on('close', resolve)) };
}

function ctrlC(child: ChildProcess): void {
  if (child.pid === undefined) throw new Error('did not start');
  process.kill(-child.pid, 'SIGINT');
}

async function noted(word: string): Promise<void> {
  const watcher = watch(join(root, 'notes'));
  try {
    while (!notes().some((note) => note.startsWith(word))) await new Promise((resolve) => watcher.once('change', resolve));
  } finally {
    watcher.close();
  }
}

test('Ctrl-C asks the child to stop, once, and waits; the terminal’s signal does not reach it', async () => {
  const { child, output, ended } = start('--no-demo');
  await noted('started');
  ctrlC(child);
  await noted('message');
  ctrlC(child);
  expect(await ended).toBe(0);
  expect(notes()).toEqual(['started --no-demo', 'message stop', 'stopped cleanly']);
  expect(output()).toContain('Already stopping');
}, 120_000);

test('when the starter is killed, the child notices', async () => {
  const { child } = start();
  await noted('started');
  child.kill('SIGKILL');
  await noted('disconnected');
}, 120_000);

test('--fresh without anybody to ask removes nothing; --yes goes ahead', async () => {
  const refused = start('--fresh');
  expect(await refused.ended).toBe(1);
  expect(refused.output()).toContain('Add --yes');
  expect(notes()).toEqual(['']);
  const { child } = start('--fresh', '--yes');
  await noted('started --fresh --yes');
  child.kill('SIGTERM');
}, 120_000);

test('an unknown option and an old Node are refused in words', async () => {
  const unknown = start('--frsh', '--demo');
  expect(await unknown.ended).toBe(1);
  expect(unknown.output()).toContain('--frsh is not an option.\n--demo is not an option.');
  writeFileSync(join(root, 'package.json'), JSON.stringify({ type: 'module', engines: { node: '>=99' } }));
  const old = start();
  expect(await old.ended).toBe(1);
  expect(old.output()).toContain('Rekindle needs Node');
  expect(existsSync(join(root, 'notes')) && notes()).toEqual(['']);
}, 120_000);
