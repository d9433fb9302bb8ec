import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commands } from '../../cli/main.ts';
import { tools } from '../../mcp/server.ts';
import { subcommandsOf } from '../walk/command-line.ts';

// `npm run walk` tries every command and every tool against a running system, and ends with 1 where it misses one. Here only its text is read, so that
// what is new is noticed at once.
const textOf = (file: string) => readFileSync(new URL(`../walk/${file}`, import.meta.url), 'utf8');

test('the walk tries every command', () => {
  const text = textOf('every-command.ts');
  const named = Object.entries(commands).filter(([name]) => name !== 'mcp');
  const words = named.flatMap(([name, command]) => [name, ...subcommandsOf(command).filter((sub) => sub !== null)]);
  expect([...new Set(words)].filter((word) => !text.includes(`'${word}'`))).toEqual([]);
});

test('the walk tries every tool for agents', () => {
  const text = textOf('every-tool.ts');
  expect(tools.map(({ name }) => name).filter((name) => !text.includes(`'${name}'`))).toEqual([]);
});
