import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { commandOf, waitUntil } from '../../local/child-process.ts';

const root = join(import.meta.dirname, '../..');
const deaf = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1_000); process.send(process.pid);";

/** A process that starts another one, which does not listen to SIGTERM, and says its id. */
async function parentOf(loaded: string): Promise<{ parent: ChildProcess; child: number }> {
  const script = `
    const { spawn } = require('node:child_process');
    const child = spawn(process.execPath, ['--import', ${JSON.stringify(loaded)}, '-e', ${JSON.stringify(deaf)}], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    child.on('message', (pid) => process.send(pid));`;
  const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const [child] = (await once(parent, 'message')) as [number];
  return { parent, child };
}

test.each(['local/end-with-parent.mjs?within=100', 'tests/helpers/end-with-run.mjs'])(
  'whoever loads %s does not outlive a parent that was killed, even where it does not end in good order',
  async (file) => {
    const [path = '', query = ''] = file.split('?');
    const { parent, child } = await parentOf(`${pathToFileURL(join(root, path)).href}?${query}`);
    expect(commandOf(child)).not.toBe('');
    parent.kill('SIGKILL');
    expect(await waitUntil(() => commandOf(child) === '', 30_000)).toBe(true);
  },
);
