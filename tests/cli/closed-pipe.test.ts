import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

test('a reader that closes the pipe early ends the command quietly', async () => {
  const child = spawn(process.execPath, [join(root, 'local/rekindle.mjs'), 'send', '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let complained = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complained += text));
  const [code] = (await once(child, 'close')) as [number | null];
  expect({ code, complained }).toEqual({ code: 0, complained: '' });
});
