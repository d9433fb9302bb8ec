import { expect, test } from 'vitest';
import { inOrder } from '../../local/in-order.ts';

function recorder() {
  const said: string[] = [];
  return {
    said,
    note: (line: string) => void said.push(line),
    report: { stopped: (name: string) => void said.push(`${name} stopped`), failed: (name: string) => void said.push(`${name} failed`) },
  };
}

test('what was started last is stopped first, and one that does not stop holds up none', async () => {
  const { said, report } = recorder();
  const parts = inOrder();
  for (const name of ['Postgres', 'Temporal', 'API', 'worker'])
    await parts.begin(
      name,
      async () => name,
      async () => {
        if (name === 'API') throw new Error('no');
      },
    );
  await parts.stop(report);
  expect(said).toEqual(['worker stopped', 'API failed', 'Temporal stopped', 'Postgres stopped']);
});

test('a worker that is just coming up is ended before its Temporal, however slow it is', async () => {
  const { said, note, report } = recorder();
  const parts = inOrder();
  await parts.begin(
    'Temporal',
    async () => note('Temporal runs'),
    async () => undefined,
  );
  const coming = parts.begin(
    'worker',
    (calledOff) =>
      new Promise<void>((_resolve, reject) => {
        calledOff.addEventListener('abort', () =>
          setTimeout(() => {
            note('worker ended');
            reject(new Error('called off'));
          }, 300),
        );
      }),
    async () => undefined,
  );
  const ended = coming.then(
    () => 'came up',
    () => 'called off',
  );
  await parts.stop(report);
  expect(await ended).toBe('called off');
  expect(said).toEqual(['Temporal runs', 'worker ended', 'worker stopped', 'Temporal stopped']);
});

test('a server that came up meanwhile is stopped like the others, and nothing is begun after that', async () => {
  const { said, report } = recorder();
  const parts = inOrder();
  let comeUp: () => void = () => undefined;
  const coming = parts.begin(
    'Temporal',
    () => new Promise<void>((resolve) => (comeUp = resolve)),
    async () => undefined,
  );
  const stopping = parts.stop(report);
  comeUp();
  await Promise.all([coming, stopping]);
  expect(said).toEqual(['Temporal stopped']);
  await expect(
    parts.begin(
      'worker',
      async () => undefined,
      async () => undefined,
    ),
  ).rejects.toThrow('The start was called off.');
});

test('a step that never ends is not waited for without end', async () => {
  const { said, report } = recorder();
  const parts = inOrder(50);
  await parts.begin(
    'Postgres',
    async () => undefined,
    async () => undefined,
  );
  void parts.begin(
    'Temporal',
    () => new Promise<void>(() => undefined),
    async () => undefined,
  );
  await parts.stop(report);
  expect(said).toEqual(['Postgres stopped']);
});
