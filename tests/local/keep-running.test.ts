import { expect, test } from 'vitest';
import { type Running, keepRunning } from '../../local/keep-running.ts';

/** A server whose end the test decides. `starts` counts; `outcome` makes the next start fail. */
function aServer() {
  const said: string[] = [];
  const starts: { end(words: string): void; stopped: boolean }[] = [];
  const waiting: (() => void)[] = [];
  let failNext: string | null = null;
  const start = async (): Promise<Running> => {
    const failure = failNext;
    failNext = null;
    if (failure !== null) throw new Error(failure);
    let listener = (_words: string) => {};
    const instance = { end: (words: string) => listener(words), stopped: false };
    starts.push(instance);
    for (const wake of waiting.splice(0)) wake();
    return {
      async stop() {
        instance.stopped = true;
      },
      onUnexpectedEnd: (given) => {
        listener = given;
      },
    };
  };
  return {
    said,
    starts,
    start,
    failNextStart: (message: string) => {
      failNext = message;
    },
    keep: () => keepRunning('Temporal', start, (line) => said.push(line)),
    async nthStart(n: number) {
      while (starts.length < n) await new Promise<void>((resolve) => waiting.push(resolve));
      return starts[n - 1];
    },
  };
}

test('what ends unexpectedly is started again, saying so with its last words', async () => {
  const server = aServer();
  const kept = await server.keep();
  (await server.nthStart(1))?.end('database is locked');
  await server.nthStart(2);
  expect(server.said.slice(0, 2)).toEqual(['Temporal ended unexpectedly: database is locked', 'Temporal is started again in 0.5 s …']);
  await kept.stop();
  expect(server.starts[1]?.stopped).toBe(true);
});

test('a start that fails is tried again after a longer pause', async () => {
  const server = aServer();
  const kept = await server.keep();
  server.failNextStart('port is busy');
  (await server.nthStart(1))?.end('');
  await server.nthStart(2);
  expect(server.said.slice(0, 4)).toEqual([
    'Temporal ended unexpectedly',
    'Temporal is started again in 0.5 s …',
    'Temporal port is busy',
    'Temporal is started again in 1 s …',
  ]);
  await kept.stop();
});

test('the first start’s error is the caller’s', async () => {
  const server = aServer();
  server.failNextStart('no such program');
  await expect(server.keep()).rejects.toThrow('no such program');
  expect(server.said).toEqual([]);
});

test('nothing is started again once it was stopped', async () => {
  const server = aServer();
  const kept = await server.keep();
  (await server.nthStart(1))?.end('');
  await kept.stop();
  expect(server.starts).toHaveLength(1);
});

test('renewing stops the old one and starts a new one', async () => {
  const server = aServer();
  const kept = await server.keep();
  await kept.renew('lost its file');
  expect(server.starts.map(({ stopped }) => stopped)).toEqual([true, false]);
  expect(server.said[0]).toBe('Temporal lost its file');
  await kept.stop();
});
