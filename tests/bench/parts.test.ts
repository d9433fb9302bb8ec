import { expect, test } from 'vitest';
import { parts } from '../../bench/parts.ts';

test('a part that fails does not discard the figures of the others, and the run ends with 1', async () => {
  const said: string[] = [];
  const run = parts((line) => void said.push(line));
  expect(await run.run('first', async () => 1)).toBe(1);
  expect(
    await run.run('second', async () => {
      throw new Error('no room');
    }),
  ).toBeNull();
  expect(await run.run('third', async () => 3)).toBe(3);
  expect(run.end()).toBe(1);
  expect(said[0]).toContain('second failed, the others go on: Error: no room');
  expect(said.at(-1)).toBe('FAILED  second: no figures of it above');
});

test('a run without a failure ends with 0 and says nothing', async () => {
  const said: string[] = [];
  const run = parts((line) => void said.push(line));
  await run.run('first', async () => 1);
  expect(run.end()).toBe(0);
  expect(said).toEqual([]);
});
