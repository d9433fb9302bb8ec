import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readPartitionsOf } from '../../local/temporal-server.ts';

test('a new database has one partition for each queue; one that may hold tasks in four is still read in all of them', () => {
  const dir = mkdtempSync(join(tmpdir(), 'rekindle-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const file = join(dir, 'dev-server.db');
  writeFileSync(file, '');
  expect(readPartitionsOf(file)).toBe(4);
  expect(readPartitionsOf(file)).toBe(4);
  rmSync(file);
  expect(readPartitionsOf(file)).toBe(1);
  writeFileSync(file, '');
  expect(readPartitionsOf(file)).toBe(1);
  expect(readPartitionsOf(null)).toBe(1);
});
