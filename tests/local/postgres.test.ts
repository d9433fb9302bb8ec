import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { waitUntil } from '../../local/child-process.ts';
import { freePort } from '../../local/ports.ts';
import { type PostgresServer, startPostgres } from '../../local/postgres.ts';
import { placePostgres, removePostgres } from '../../local/postgres-place.ts';

const isRoot = process.getuid?.() === 0;
let dir: string;
beforeEach(() => {
  const parent = mkdtempSync(join(tmpdir(), 'rekindle-postgres-'));
  chmodSync(parent, 0o755);
  dir = join(parent, 'postgres');
  onTestFinished(() => {
    removePostgres(dir);
    rmSync(parent, { recursive: true, force: true });
  });
});

async function start(options: { durable?: boolean; log?: (line: string) => void } = {}): Promise<PostgresServer> {
  const server = await startPostgres({ dir, port: await freePort(), durable: options.durable ?? false, log: options.log ?? (() => {}) });
  onTestFinished(() => server.stop());
  return server;
}

async function ask(server: PostgresServer, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  try {
    return (await client.query<unknown[]>({ text: sql, rowMode: 'array' })).rows[0] ?? [];
  } finally {
    await client.end();
  }
}

test('the database is durable, speaks UTF-8 and knows every letter’s lower case, and its password is private', async () => {
  const server = await start({ durable: true });
  const settings = ['fsync', 'synchronous_commit', 'full_page_writes', 'server_encoding', 'max_connections', 'TimeZone'];
  expect(await ask(server, `select ${settings.map((name) => `current_setting('${name}')`).join(', ')}, lower('ÄÉŽ')`)).toEqual([
    ...['on', 'on', 'on', 'UTF8', '200', 'UTC', 'äéž'],
  ]);
  // What other clients than Node's take: Go's and Java's refuse fewer.
  const [stored] = await ask(server, `select rolpassword from pg_authid where rolname = current_user`);
  expect(stored).toMatch(/^SCRAM-SHA-256\$4096:/);
  expect(statSync(join(dir, 'password')).mode & 0o777).toBe(0o600);
  expect(server.url).toContain(readFileSync(join(dir, 'password'), 'utf8').trim());
}, 120_000);

test('data survive a stop, and an open session does not hold it up', async () => {
  const first = await start();
  await ask(first, 'create table kept (n int)');
  const idle = new pg.Client({ connectionString: first.url });
  idle.on('error', () => {});
  await idle.connect();
  await first.stop();
  expect(await ask(await start(), 'select count(*)::int from kept')).toEqual([0]);
}, 120_000);

test('a server that outlived its parent is ended, and one that dies is reported with its last words', async () => {
  const first = await start();
  const died = new Promise<string>((resolve) => first.onUnexpectedEnd(resolve));
  const said: string[] = [];
  const second = await start({ log: (line) => said.push(line) });
  expect(said).toEqual(['Stopping a Postgres that an earlier run left behind …']);
  expect(await died).toContain('database system is shut down');
  expect(await ask(second, 'select 1')).toEqual([1]);
}, 120_000);

test('the server ends when its parent is killed', async () => {
  const script = `
    const { startPostgres } = await import(${JSON.stringify(new URL('../../local/postgres.ts', import.meta.url).href)});
    const server = await startPostgres({ dir: ${JSON.stringify(dir)}, port: ${await freePort()}, durable: false, log() {} });
    console.log(server.pid);`;
  const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const pid = Number(await new Promise<string>((resolve) => parent.stdout.setEncoding('utf8').once('data', resolve)));
  parent.kill('SIGKILL');
  const gone = () => {
    try {
      return process.kill(pid, 0) && false;
    } catch {
      return true;
    }
  };
  expect(await waitUntil(gone, 15_000, 50)).toBe(true);
}, 120_000);

test.runIf(isRoot)(
  'below a folder that only root may enter, the data lie elsewhere, and are found there again',
  async () => {
    chmodSync(dirname(dir), 0o700);
    const said: string[] = [];
    const first = await start({ log: (line) => said.push(line) });
    const home = readFileSync(join(dir, 'location'), 'utf8').trim();
    expect(said[0]).toContain(`its data lies in ${home} instead`);
    await ask(first, 'create table kept (n int)');
    await first.stop();
    expect(await ask(await start(), 'select count(*)::int from kept')).toEqual([0]);
  },
  30_000,
);

test.runIf(isRoot)('a folder that another user put in the way is not used', () => {
  chmodSync(dirname(dir), 0o700);
  mkdirSync(dir);
  const { dataDir } = placePostgres(dir, () => {});
  removePostgres(dir);
  mkdirSync(dirname(dataDir));
  onTestFinished(() => rmSync(dirname(dataDir), { recursive: true }));
  chownSync(dirname(dataDir), 65_534, 65_534);
  expect(() => placePostgres(dir, () => {})).toThrow('belongs to another user');
});
