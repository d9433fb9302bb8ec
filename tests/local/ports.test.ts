import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { busyPorts, freePort, portFrom } from '../../local/ports.ts';
import { portClaims, readSettings } from '../../local/settings.ts';

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

test.each(['abc', '0', '70000', '1.5'])('%s is no port', (given) => {
  expect(() => portFrom('PORT', 3000, { PORT: given })).toThrow(
    'PORT is not a port: give a number between 1 and 65535, or leave it out to use 3000.',
  );
});

test('what the user provides needs no port of ours', () => {
  const variables = (source: Record<string, string>) => portClaims(readSettings([], source)).map((claim) => claim.variable);
  expect(variables({})).toEqual([
    ...['PORT', 'POSTGRES_PORT', 'TEMPORAL_PORT', 'TEMPORAL_UI_PORT', 'MAILBOX_SMTP_PORT', 'MAILBOX_PORT', 'DEMO_STORE_PORT'],
  ]);
  expect(
    variables({ DATABASE_URL: 'postgres://db.example.com/x', TEMPORAL_ADDRESS: 'temporal.example.com:7233', SMTP_URL: 'smtp://mail.example.com' }),
  ).toEqual(['PORT', 'DEMO_STORE_PORT']);
});

test('a wrong variable is refused before anything is started, and what npm start provides itself is not asked for', () => {
  expect(() => readSettings([], { REKINDLE_TIME_SCALE: 'fast' })).toThrow('REKINDLE_TIME_SCALE is not a number');
  expect(() => readSettings([], { REKINDLE_TIME_SCALE: '60', NODE_ENV: 'production' })).toThrow('is refused with NODE_ENV=production');
  expect(() => readSettings([], { SMTP_URL: 'mail' })).toThrow('SMTP_URL is not a URL');
  expect(readSettings(['--no-demo'], { DATABASE_URL: '', TEMPORAL_ADDRESS: ' ' })).toMatchObject({
    demo: false,
    databaseUrl: null,
    temporalAddress: null,
  });
});
