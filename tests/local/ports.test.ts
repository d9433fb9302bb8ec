import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { busyPorts, freePort, freePortFrom, lostPort, readPort } from '../../local/ports.ts';
import { EnvError } from '../../config/env.ts';
import { checkSettings, portClaims, readSettings } from '../../local/settings.ts';

async function occupied(): Promise<number> {
  const server = createServer();
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return port;
}

test('a busy port is named with its variable and a remedy, in one line', async () => {
  const port = await occupied();
  const [line, ...others] = await busyPorts([
    { port, variable: 'MAILBOX_PORT', purpose: 'mailbox, page' },
    { port: await freePort(), variable: 'PORT', purpose: 'API' },
  ]);
  expect(others).toEqual([]);
  expect(line).toMatch(new RegExp(`^Port ${port} \\(mailbox, page\\) is in use by another program\\. Choose another: MAILBOX_PORT=\\d+ npm start$`));
});

test('one port for two purposes is noticed before anything listens', async () => {
  const port = await freePort();
  expect(
    await busyPorts([
      { port, variable: 'PORT', purpose: 'API' },
      { port, variable: 'MAILBOX_PORT', purpose: 'mailbox, page' },
    ]),
  ).toEqual([`Port ${port} is asked for twice, by PORT and MAILBOX_PORT. Give one another port.`]);
});

test('ports that are taken and ports that are asked for twice are named together', async () => {
  const [busy, free] = [await occupied(), await freePort()];
  const lines = await busyPorts([
    { port: busy, variable: 'POSTGRES_PORT', purpose: 'Postgres' },
    { port: free, variable: 'PORT', purpose: 'API' },
    { port: free, variable: 'MAILBOX_PORT', purpose: 'mailbox, page' },
  ]);
  expect(lines).toEqual([expect.stringContaining('by PORT and MAILBOX_PORT'), expect.stringContaining('POSTGRES_PORT=')]);
});

test('the first free port from a number on', async () => {
  const busy = await occupied();
  expect(await freePortFrom(busy)).toBeGreaterThan(busy);
});

test.each(['abc', '0', '70000', '1.5'])('%s is no port', (given) => {
  expect(readPort('MAILBOX_PORT', 8025, { MAILBOX_PORT: given }).problem).toEqual({
    variable: 'MAILBOX_PORT',
    problem: 'is not a port',
    remedy: 'Give a number between 1 and 65535, or leave it out to use 8025.',
  });
});

test('all wrong variables are named at once, those of the children and those of this start', () => {
  const wrong = {
    PORT: 'x',
    MAILBOX_PORT: '0',
    PHONE_PORT: 'x',
    DEMO_STORE_PORT: '99999',
    SMTP_URL: 'mail',
    REKINDLE_TIME_SCALE: 'fast',
    METRICS_PORT: '-1',
  };
  try {
    readSettings([], wrong);
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(EnvError);
    expect(error instanceof EnvError && error.problems.map(({ variable }) => variable).toSorted()).toEqual(Object.keys(wrong).toSorted());
  }
});

test('servers that cannot be used and ports that are taken are named together', async () => {
  const [busy, nothing] = [await occupied(), await freePort()];
  const settings = readSettings(['--no-demo'], {
    PORT: String(busy),
    DATABASE_URL: `postgres://127.0.0.1:${nothing}/x`,
    TEMPORAL_ADDRESS: `127.0.0.1:${nothing}`,
    MAILBOX_SMTP_PORT: String(await freePort()),
    MAILBOX_PORT: String(await freePort()),
  });
  const message = await checkSettings(settings).then(
    () => '',
    (error: Error) => error.message,
  );
  expect(message.split('\n')).toEqual([
    expect.stringContaining(`Port ${busy} (API and live page) is in use`),
    expect.stringMatching(/^DATABASE_URL: /),
    expect.stringMatching(/^TEMPORAL_ADDRESS: /),
  ]);
}, 120_000);

test('what the user provides needs no port of ours', () => {
  const variables = (source: Record<string, string>, ...args: string[]) => portClaims(readSettings(args, source)).map((claim) => claim.variable);
  expect(variables({})).toEqual([
    ...[
      'PORT',
      'POSTGRES_PORT',
      'TEMPORAL_PORT',
      'TEMPORAL_UI_PORT',
      'MAILBOX_SMTP_PORT',
      'MAILBOX_PORT',
      'PHONE_PORT',
      'MODEL_PORT',
      'PROVIDERS_PORT',
      'DEMO_STORE_PORT',
    ],
  ]);
  expect(
    variables({ DATABASE_URL: 'postgres://db.example.com/x', TEMPORAL_ADDRESS: 'temporal.example.com:7233', SMTP_URL: 'smtp://mail.example.com' }),
  ).toEqual(['PORT']);
  // Without synthetic shoppers there is no demo shop; nor where nobody would find their emails.
  expect(variables({}, '--no-demo')).not.toContain('DEMO_STORE_PORT');
  expect(variables({}, '--no-demo')).not.toContain('PHONE_PORT');
  expect(variables({ SMTP_URL: 'smtp://mail.example.com', MAILBOX_URL: 'http://mail.example.com' })).toContain('DEMO_STORE_PORT');
  expect(variables({ METRICS_PORT: '9000' })).toContain('METRICS_PORT');
});

test('a wrong variable is refused before anything is started, and what npm start provides itself is not asked for', () => {
  expect(() => readSettings([], { REKINDLE_TIME_SCALE: 'fast' })).toThrow('REKINDLE_TIME_SCALE is not a number');
  expect(() => readSettings([], { REKINDLE_TIME_SCALE: '60', NODE_ENV: 'production' })).toThrow('is refused with NODE_ENV=production');
  expect(() => readSettings([], { SMTP_URL: 'mail' })).toThrow('SMTP_URL is not a URL');
  expect(readSettings(['--no-demo'], { DATABASE_URL: '', TEMPORAL_ADDRESS: ' ' })).toMatchObject({
    demo: 'not_wanted',
    databaseUrl: null,
    temporalAddress: null,
  });
});

test('a port that is lost between the look and the listening is named, and other errors are not taken for one', async () => {
  const port = await occupied();
  const server = createServer();
  const error = await new Promise<unknown>((resolve) => server.once('error', resolve).listen(port, '127.0.0.1'));
  expect(lostPort(error)).toMatch(new RegExp(`^Port ${port} was taken`));
  expect(lostPort(new Error('EADDRINUSE'))).toBeNull();
});
