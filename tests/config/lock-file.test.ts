import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { lockFits } from '../../local/install.mjs';

const entry = z.object({
  version: z.string(),
  resolved: z.string().optional(),
  integrity: z.string().optional(),
  inBundle: z.boolean().default(false),
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
});
const read = (file: string) => z.looseObject({}).parse(JSON.parse(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')));
const { packages } = z.object({ packages: z.record(z.string(), entry) }).parse(read('package-lock.json'));
const installed = Object.entries(packages).filter(([path]) => path !== '');

/** Where Node finds a package from another one: in its own node_modules, then in each above. */
function isListed(from: string, name: string): boolean {
  for (let path = from; ; path = path.slice(0, Math.max(0, path.lastIndexOf('/node_modules/')))) {
    if (packages[`${path === '' ? '' : `${path}/`}node_modules/${name}`] !== undefined) return true;
    if (path === '') return false;
  }
}

test('the lock lists every package that another one needs, the binaries of all platforms too', () => {
  const missing = installed.flatMap(([path, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies }).flatMap((name) => (isListed(path, name) ? [] : [`${name}, for ${path}`])),
  );
  expect(missing).toEqual([]);
});

test('the lock names no registry, and a digest for each package', () => {
  expect(installed.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path)).toEqual([]);
  // What lies in another package's archive is under the digest of that one.
  expect(installed.filter(([, { integrity, inBundle }]) => integrity === undefined && !inBundle).map(([path]) => path)).toEqual([]);
});

test('the lock belongs to package.json', () => {
  expect(lockFits(read('package.json'), read('package-lock.json'))).toBe(true);
});

// npm 10 installs a second one for an optional peer that npm 11 leaves out, and each then calls the other's lock incomplete.
test('there is one esbuild, which all who use it accept', () => {
  expect(installed.map(([path]) => path).filter((path) => /(^|\/)node_modules\/esbuild$/.test(path))).toEqual(['node_modules/esbuild']);
});
