import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { lockFile, lockInstance } from '../../local/instance-lock.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rekindle-lock-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
});

test('a second start is refused in one line that names the first', () => {
  writeFileSync(join(dir, lockFile), String(process.ppid));
  expect(() => lockInstance(dir, () => true)).toThrow(
    `Rekindle already runs here (process ${process.ppid}). Stop it with Ctrl-C in its terminal, or with: kill ${process.ppid}`,
  );
});

test('the place is free again after a stop', () => {
  lockInstance(dir)();
  expect(existsSync(join(dir, lockFile))).toBe(false);
  lockInstance(dir)();
});

test('a process that was killed holds nothing', () => {
  const { pid } = spawnSync('true');
  writeFileSync(join(dir, lockFile), String(pid));
  lockInstance(dir, () => true)();
});

test('a number that belongs to another program by now holds nothing', () => {
  writeFileSync(join(dir, lockFile), String(process.ppid));
  lockInstance(dir)();
});

test.each(['', 'x'])('a damaged lock file (%j) holds nothing', (content) => {
  writeFileSync(join(dir, lockFile), content);
  lockInstance(dir)();
});
