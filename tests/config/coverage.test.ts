import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

// docs/coverage.md: each requirement once, and nothing in it that does not exist.

const root = resolve(import.meta.dirname, '../..');
const page = readFileSync(resolve(root, 'docs/coverage.md'), 'utf8');

/** How many requirements each source has, by its number. */
const sources = [23, 24, 25, 40, 15];
const ids = sources.flatMap((most, source) => Array.from({ length: most }, (_, index) => `S${source}-${index + 1}`));

const rows = page
  .split('\n')
  .filter((line) => /^\| S\d/.test(line))
  .map((line) => {
    const [, id = '', what = '', where = '', tests = ''] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    return { id, what, where, tests };
  });

/** Files in backticks; a test may follow in quotes: `` `api/keys.test.ts` "a key that has expired" ``. */
const named = (cell: string) => [...cell.matchAll(/`([^`]+)`(?: "([^"]+)")?/g)].map(([, file = '', title]) => ({ file, title }));

test('each requirement stands there once, in order, with what it asks', () => {
  expect(rows.map(({ id }) => id)).toEqual(ids);
  expect(rows.filter(({ what }) => what === '')).toEqual([]);
});

test('names files that exist', () => {
  expect(rows.filter(({ where }) => named(where).length === 0)).toEqual([]);
  expect(rows.flatMap(({ id, where }) => named(where).flatMap(({ file }) => (existsSync(resolve(root, file)) ? [] : [`${id}: ${file}`])))).toEqual(
    [],
  );
});

test('names tests that exist', () => {
  expect(rows.filter(({ tests }) => named(tests).length === 0)).toEqual([]);
  expect(rows.flatMap(({ id, tests }) => named(tests).flatMap((one) => (isTest(one) ? [] : [`${id}: ${one.file} ${one.title ?? ''}`])))).toEqual([]);
});

function isTest({ file, title }: { file: string; title: string | undefined }): boolean {
  const path = resolve(root, 'tests', file);
  if (!file.endsWith('.test.ts') || !existsSync(path)) return false;
  const source = readFileSync(path, 'utf8');
  return title === undefined ? /\b(?:test|it)(?:\.\w+)*\(/.test(source) : source.includes(title);
}
