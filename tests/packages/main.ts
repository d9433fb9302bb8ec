// `npm run try:packages`: what `npm run pack` made, installed in empty folders, from a migration to an email. Takes a minute or two, most of it npm's.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { endProcess, hasEnded, tail, waitUntil } from '../../local/child-process.ts';
import { freePort } from '../../local/ports.ts';
import { removePostgres } from '../../local/postgres-place.ts';
import { startPostgres } from '../../local/postgres.ts';
import { startTemporal } from '../../local/temporal-server.ts';
import { startSmtpServer } from '../helpers/smtp-server.ts';

const usage = `npm run try:packages -- [options]

--packed   use dist/packages/ as it is, instead of packing anew`;

const { values } = parseArgs({ options: { packed: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } } });
if (values.help) {
  console.log(usage);
  process.exit(0);
}

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
const packages = join(root, 'dist/packages');
// Apart from the sources: a module that is not in the package must not be found in a folder above.
const place = mkdtempSync(join(tmpdir(), 'rekindle-packages-'));
// As root, Postgres runs as another user who must be able to enter.
chmodSync(place, 0o755);
const ends: (() => unknown)[] = [() => rmSync(place, { recursive: true, force: true })];
const seen = (line: string) => console.log(`seen  ${line}`);

interface Runnable {
  command: string;
  args: string[];
  options: object;
}

/** Install one package alone, in an empty folder. @param how - `unpacked`: with the versions of its lock. @returns a function that runs one of its programs or a script */
async function install(
  name: string,
  how: 'unpacked' | 'as dependency',
): Promise<(program: string, args: string[], env?: Record<string, string>) => Runnable> {
  const archive = readdirSync(packages).find((file) => file.startsWith(`rekindle-${name}-`) && file.endsWith('.tgz'));
  if (archive === undefined) throw new Error(`dist/packages has no package ${name}: npm run pack makes it`);
  const folder = join(place, name);
  mkdirSync(folder);
  const quiet = ['--no-audit', '--no-fund', '--omit=dev'];
  const started = performance.now();
  if (how === 'unpacked') {
    await run('tar', ['-xzf', join(packages, archive), '--strip-components=1', '-C', folder]);
    await run('npm', ['ci', ...quiet, '--omit=optional'], { cwd: folder });
  } else {
    writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}\n');
    await run('npm', ['install', ...quiet, join(packages, archive)], { cwd: folder });
  }
  const folders = readdirSync(join(folder, 'node_modules')).length;
  seen(`${archive} installs in an empty folder: ${folders} folders in ${Math.round((performance.now() - started) / 1_000)} s`);
  return (program, args, env = {}) => ({
    command: program === 'node' ? process.execPath : join(folder, how === 'unpacked' ? `bin/${program}.mjs` : `node_modules/.bin/${program}`),
    args,
    options: { cwd: folder, env: { PATH: process.env['PATH'], HOME: process.env['HOME'], NODE_ENV: 'production', ...env } },
  });
}

/** Start a program that goes on, and wait until `url` answers. */
async function begin({ command, args, options }: Runnable, url: string): Promise<void> {
  const child: ChildProcess = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = tail();
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', said.add);
  ends.push(() => endProcess(child, 'SIGTERM', 30_000));
  const answers = () =>
    fetch(url).then(
      (response) => response.ok,
      () => false,
    );
  if (!(await waitUntil(async () => hasEnded(child) || (await answers()), 120_000, 200)) || hasEnded(child))
    throw new Error(`${command} does not serve ${url}: ${said.text()}`);
}

async function tryAll(): Promise<void> {
  if (!values.packed) await run('npm', ['run', '--silent', 'pack'], { cwd: root, maxBuffer: 2 ** 26 });
  const [server, commands, client] = [
    await install('server', 'unpacked'),
    await install('cli', 'as dependency'),
    await install('client', 'as dependency'),
  ];

  const log = (line: string) => console.error(line);
  const postgresDir = join(place, 'postgres');
  const postgres = await startPostgres({ dir: postgresDir, port: await freePort(), durable: false, log });
  ends.push(
    () => removePostgres(postgresDir),
    () => postgres.stop(),
  );
  const temporal = await startTemporal({ dir: null, port: await freePort(), uiPort: null, durable: false, log });
  ends.push(() => temporal.stop());
  const mailServer = await startSmtpServer();
  ends.push(() => mailServer.close());

  const migration = server('rekindle-migrate', [], { MIGRATION_DATABASE_URL: postgres.url });
  const migrated = await run(migration.command, migration.args, migration.options);
  if (!migrated.stdout.includes('database is up to date')) throw new Error(`rekindle-migrate said ${migrated.stdout}${migrated.stderr}`);
  seen('rekindle-migrate brings an empty Postgres to the schema');

  const port = await freePort();
  const metricsPort = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = {
    // Two hours are seven seconds.
    ...{ NODE_ENV: 'development', REKINDLE_TIME_SCALE: '1000', LOG_LEVEL: 'warn' },
    ...{ DATABASE_URL: postgres.url, TEMPORAL_ADDRESS: temporal.address, SMTP_URL: mailServer.url },
    ...{ PUBLIC_URL: url, HOST: '127.0.0.1', PORT: String(port) },
    REKINDLE_MASTER_KEY: randomBytes(32).toString('base64'),
    REKINDLE_INSTALLATION_KEY: randomBytes(32).toString('hex'),
  };
  await begin(server('rekindle-api', [], env), `${url}/readyz`);
  seen('rekindle-api serves');
  await begin(server('rekindle-worker', [], { ...env, METRICS_PORT: String(metricsPort) }), `http://127.0.0.1:${metricsPort}/metrics`);
  seen('rekindle-worker serves');
  if (!(await fetch(`${url}/app`)).ok) throw new Error('the package lacks the dashboard');
  seen('the dashboard is in it');

  const rekindle = async (args: string[], keys: Record<string, string>) => {
    const { command, options } = commands('rekindle', [], { REKINDLE_API_URL: url, ...keys });
    return (await run(command, args, options)).stdout;
  };
  const made = await rekindle(['tenants', 'create', 'shop', '--name', 'Shop'], { REKINDLE_INSTALLATION_KEY: env.REKINDLE_INSTALLATION_KEY });
  const apiKey = /\brk_\S+/.exec(made)?.[0] ?? '';
  const keys = { REKINDLE_API_KEY: apiKey };
  await rekindle(['settings', 'set', 'quietHours=null', 'senderAddress=hello@shop.example.org', 'postalAddress=1 Example Street'], keys);
  await rekindle(['connections', 'create', 'generic', '--name', 'Our system'], keys);
  await rekindle(['rehearse', 'cart'], keys);
  seen('rekindle, installed by itself, makes a store and rehearses a sequence');
  await rekindle(['send', 'cart.updated', '--email', 'ada@example.com', '--value', '129.90'], keys).catch((error: unknown) => {
    throw new Error(`rekindle send: ${String(error)}`);
  });

  const script = `import { createClient } from '@rekindle/client';
const { data, error } = await createClient({ baseUrl: ${JSON.stringify(url)}, apiKey: ${JSON.stringify(apiKey)} }).enrollments.list({});
if (error !== null) throw error;
console.log(data.data.length);`;
  const listing = client('node', ['--input-type=module', '--eval', script]);
  const { stdout } = await run(listing.command, listing.args, listing.options);
  if (stdout.trim() !== '1') throw new Error(`the client lists ${stdout.trim()} enrollments, not 1`);
  seen('@rekindle/client lists the cart that rekindle sent');

  if (!(await waitUntil(() => mailServer.accepted.length > 0, 120_000))) throw new Error('no email has come within two minutes');
  seen(`its first email has arrived for ${mailServer.accepted[0]?.envelope.to.join(', ')}`);
}

try {
  await tryAll();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  for (const end of ends.reverse()) await end();
}
process.exit();
