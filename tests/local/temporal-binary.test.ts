import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { findTemporal, type TemporalWay, temporalWays, userBinDir } from '../../local/temporal-binary.ts';
import { progress } from '../../local/go-build.ts';

let dir: string;
let said: string[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rekindle-temporal-'));
  said = [];
  onTestFinished(() => rmSync(dir, { recursive: true }));
});

function program(folder: string, name: string, script: string, mode = 0o755): string {
  mkdirSync(join(dir, folder), { recursive: true });
  writeFileSync(join(dir, folder, name), `#!/bin/sh\n${script}\n`, { mode });
  return join(dir, folder, name);
}
const announces = (cli: string, server: string) => `echo "temporal version ${cli} (Server ${server}, UI 2.50.1)"`;

/** PATH and the earlier run's copy for real; the two ways that need a network are stand-ins that say so. */
function ways(): TemporalWay[] {
  const env = { PATH: `${join(dir, 'empty')}:${join(dir, 'path')}`, XDG_CACHE_HOME: join(dir, 'cache') };
  const [onPath, earlier] = temporalWays({ projectBinDir: join(dir, 'project'), log: () => {}, env });
  if (onPath === undefined || earlier === undefined) throw new Error('two ways expected');
  const fails = (name: string, failed: string): TemporalWay => ({ name, find: async () => ({ failed }) });
  return [onPath, earlier, fails('the SDK’s download', 'no network'), fails('a build with Go', 'Go is not installed')];
}
const find = () => findTemporal(ways(), (line) => said.push(line));

test('a temporal on PATH comes first, and the versions are logged', async () => {
  const path = program('path', 'temporal', announces('1.9.0', '1.32.0'));
  program('project', 'temporal', announces('1.8.2', '1.31.2'));
  expect(await find()).toEqual({ path, cliVersion: '1.9.0', serverVersion: '1.32.0', source: '`temporal` on PATH' });
  expect(said).toEqual([`Temporal 1.32.0 (CLI 1.9.0, \`temporal\` on PATH: ${path})`]);
});

test('then the copy of an earlier run: this checkout’s before the user’s', async () => {
  const cached = program('cache/rekindle/bin', 'temporal-1.8.2', announces('1.8.2', '1.31.2'));
  expect((await find()).path).toBe(cached);
  expect(said[0]).toBe('Temporal from `temporal` on PATH: not there');
  const own = program('project', 'temporal', announces('1.8.2', '1.31.2'));
  expect((await find()).path).toBe(own);
});

test('a program that does not run or is something else is passed over, saying why', async () => {
  program('path', 'temporal', 'exit 3');
  const cached = program('cache/rekindle/bin', 'temporal-1.8.2', announces('1.8.2', '1.31.2'));
  expect((await find()).path).toBe(cached);
  expect(said[0]).toMatch(/^Temporal from `temporal` on PATH: .*path\/temporal does not run/);
  program('path', 'temporal', 'echo hello');
  await find();
  expect(said.join('\n')).toContain('says "hello" instead of its version');
});

test('a file that may not be executed is no program', async () => {
  program('path', 'temporal', announces('1.9.0', '1.32.0'), 0o644);
  await expect(find()).rejects.toThrow();
  expect(said[0]).toBe('Temporal from `temporal` on PATH: not there');
});

test('where nothing works every way has said why, and three ways to install it are named', async () => {
  await expect(find()).rejects.toThrow(/Install its CLI[^]*brew install temporal[^]*Go 1\.26[^]*TEMPORAL_ADDRESS/);
  expect(said).toEqual([
    'Temporal from `temporal` on PATH: not there',
    `Temporal from an earlier run’s copy: neither in ${join(dir, 'project')} nor in ${join(dir, 'cache/rekindle/bin')}`,
    'Temporal from the SDK’s download: no network',
    'Temporal from a build with Go: Go is not installed',
  ]);
});

test('later ways are not even tried once one has worked', async () => {
  program('path', 'temporal', announces('1.9.0', '1.32.0'));
  const untouchable: TemporalWay = { name: 'never', find: () => Promise.reject(new Error('was tried')) };
  await expect(findTemporal([...ways().slice(0, 1), untouchable], () => {})).resolves.toBeDefined();
});

test('the user’s cache follows XDG_CACHE_HOME', () => {
  expect(userBinDir({ XDG_CACHE_HOME: '/caches' })).toBe('/caches/rekindle/bin');
  expect(userBinDir({})).toMatch(/\.cache\/rekindle\/bin$/);
});

test('the estimate of the build shrinks as packages are built', () => {
  expect(progress(100, 1000, 20_000)).toBe('10 %, about 3 min left');
  expect(progress(900, 1000, 150_000)).toBe('90 %, about 40 s left');
  expect(progress(2000, 1000, 150_000)).toMatch(/^97 %/);
});
