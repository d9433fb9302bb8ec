import { afterEach, expect, test, vi } from 'vitest';
import { untilCount } from '../../bench/measure.ts';
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

afterEach(() => void vi.useRealTimers());

test('a wait for a count ends when nothing is added any more, and says how far it came', async () => {
  vi.useFakeTimers();
  const fromMs = performance.now();
  // Two in the first second, and none afterwards.
  const count = async () => Math.min(2, Math.floor((performance.now() - fromMs) / 500));
  const wait = untilCount({ what: 'workflows asleep', target: 3, count, leastMs: 2_000 }).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(String(await wait)).toMatch(/waited in vain for: 3 workflows asleep; 2 in 1\.0 s, and then none for 10\.\d s, the limit/);
});

test('on a slow machine a wait lasts as long as the count grows', async () => {
  vi.useFakeTimers();
  const fromMs = performance.now();
  // Each takes longer than the least limit, as soon as one is known to take that long.
  const count = async () => Math.floor((performance.now() - fromMs) / 900 + 0.5);
  const wait = untilCount({ what: 'enrollments ended', target: 5, count, leastMs: 500 });
  await vi.advanceTimersByTimeAsync(10_000);
  await expect(wait).resolves.toBeUndefined();
});
