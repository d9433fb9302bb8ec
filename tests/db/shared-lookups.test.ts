import { expect, test } from 'vitest';
import { NobodyWaitsError } from '../../db/connection-line.ts';
import { SharedLookups } from '../../db/shared-lookups.ts';

const yes = () => true;

/** Lookups that end when told to; each answers how many were begun before it. */
function lookups() {
  const shared = new SharedLookups<number>();
  const begun: { wanted: () => boolean; end: (error?: Error) => void }[] = [];
  const look = (wanted: () => boolean) =>
    new Promise<number>((resolve, reject) => {
      const number = begun.length;
      begun.push({ wanted, end: (error) => (error === undefined ? resolve(number) : reject(error)) });
    });
  return { begun, ask: (key = 'k', wanted = yes) => shared.ask(key, wanted, look) };
}

test('a question alone is asked at once; those that come meanwhile share the next', async () => {
  const { begun, ask } = lookups();
  const first = ask();
  expect(begun).toHaveLength(1);
  const shared = [ask(), ask(), ask()];
  expect(begun).toHaveLength(1);
  begun[0]?.end();
  expect(await first).toBe(0);
  await expect.poll(() => begun.length).toBe(2);
  // It has begun already: its answer may be older than this question.
  const later = ask();
  begun[1]?.end();
  expect(await Promise.all(shared)).toEqual([1, 1, 1]);
  await expect.poll(() => begun.length).toBe(3);
  begun[2]?.end();
  expect(await later).toBe(2);
});

test('different questions do not wait for each other, and nothing is kept', async () => {
  const { begun, ask } = lookups();
  const answers = [ask('a'), ask('b')];
  expect(begun).toHaveLength(2);
  for (const { end } of begun) end();
  expect(await Promise.all(answers)).toEqual([0, 1]);
  const again = ask('a');
  expect(begun).toHaveLength(3);
  begun[2]?.end();
  expect(await again).toBe(2);
});

test('a failure is everybody’s who shares it, and the next question is asked anew', async () => {
  const { begun, ask } = lookups();
  const first = ask();
  const [second, third] = [ask(), ask()];
  begun[0]?.end(new Error('away'));
  await expect(first).rejects.toThrow('away');
  await expect.poll(() => begun.length).toBe(2);
  begun[1]?.end(new Error('still away'));
  await expect(second).rejects.toThrow('still away');
  await expect(third).rejects.toThrow('still away');
  const later = ask();
  begun[2]?.end();
  expect(await later).toBe(2);
});

test('it is wanted as long as anybody who shares it waits', async () => {
  const { begun, ask } = lookups();
  const first = ask();
  let [one, other] = [true, true];
  const shared = [ask('k', () => one), ask('k', () => other)];
  begun[0]?.end();
  await first;
  await expect.poll(() => begun.length).toBe(2);
  expect(begun[1]?.wanted()).toBe(true);
  one = false;
  expect(begun[1]?.wanted()).toBe(true);
  other = false;
  expect(begun[1]?.wanted()).toBe(false);
  begun[1]?.end(new NobodyWaitsError());
  for (const answer of shared) await expect(answer).rejects.toThrow(NobodyWaitsError);
});
