// `npm run rehearse:upgrade`: one build replaces another while both run, with carts under way (docs/upgrading.md#rehearsing-one).
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { waitUntil } from '../../local/child-process.ts';
import { freePort } from '../../local/ports.ts';
import { removePostgres } from '../../local/postgres-place.ts';
import { startPostgres } from '../../local/postgres.ts';
import { startTemporal } from '../../local/temporal-server.ts';
import { startSmtpServer } from '../helpers/smtp-server.ts';
import { openCarts } from './carts.ts';
import { begin, type BuildName, type Installation, logOf, type Running, runOf } from './installation.ts';
import { openLedger } from './ledger.ts';

const usage = `npm run rehearse:upgrade -- [options]

--from COMMIT     the build that is replaced; default: the commit before
--before FOLDER   a checkout of it in which \`npm run build\` was run, instead of making one
--phase N         seconds between two steps of the upgrade; default 15
--keep            leave the logs where they are`;

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: 'HEAD~1' },
    before: { type: 'string' },
    phase: { type: 'string', default: '15' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}

const root = resolve(import.meta.dirname, '../..');
const phaseMs = Number(values.phase) * 1_000;
/** Two hours are 5 s: emails after 5, 60, 120 and 180 s. */
const timeScale = 1_440;
const startedMs = performance.now();
const say = (line: string) => console.log(`${String(Math.round((performance.now() - startedMs) / 1_000)).padStart(4)} s  ${line}`);
const place = mkdtempSync(join(tmpdir(), 'rekindle-upgrade-'));
// As root, Postgres runs as another user who must be able to enter.
chmodSync(place, 0o755);
const ends: (() => unknown)[] = values.keep ? [] : [() => rmSync(place, { recursive: true, force: true })];

/** A checkout of the build before, with what it was built with. */
function makeBefore(): string {
  const folder = join(place, 'before');
  const shell = (command: string, args: string[], cwd: string) => void execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  const commit = execFileSync('git', ['rev-parse', values.from], { cwd: root, encoding: 'utf8' }).trim();
  say(`building ${commit.slice(0, 8)}`);
  shell('git', ['clone', '--quiet', '--shared', '--no-checkout', root, folder], root);
  shell('git', ['checkout', '--quiet', commit], folder);
  const lockOf = (at: string) => readFileSync(join(at, 'package-lock.json'), 'utf8');
  if (lockOf(folder) === lockOf(root)) symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  else shell('npm', ['ci', '--no-audit', '--no-fund', '--silent'], folder);
  shell('npm', ['run', '--silent', 'build'], folder);
  return folder;
}

/** What the build before makes a store with: the command for it may not have been there yet. */
const makeStore = `
import { createDeps } from './operations/create-deps.js';
import { provisionTenant } from './operations/provision-tenant.js';
const quiet = () => undefined;
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const deps = createDeps({ databaseUrl: process.env.DATABASE_URL, masterKey: Buffer.from(process.env.REKINDLE_MASTER_KEY, 'base64'),
  publicUrl: process.env.PUBLIC_URL, smtpUrl: null, timeScale: null, log, applicationName: 'upgrade' });
const made = await provisionTenant(deps, { slug: 'shop', name: 'Shop', timeScale: ${timeScale}, synthetic: true, settings: { quietHours: null } });
console.log(JSON.stringify(made.webhooks.generic));
process.exit(0);`;

async function rehearse(): Promise<boolean> {
  const before = values.before === undefined ? makeBefore() : resolve(values.before);
  for (const folder of [before, root])
    if (!existsSync(join(folder, 'dist/worker/main.js'))) throw new Error(`${folder} has no dist: run npm run build there`);
  const log = (line: string) => console.error(line);
  const postgresDir = join(place, 'postgres');
  const postgres = await startPostgres({ dir: postgresDir, port: await freePort(), durable: false, log });
  ends.push(
    () => removePostgres(postgresDir),
    () => postgres.stop(),
  );
  const temporal = await startTemporal({ dir: null, port: await freePort(), uiPort: null, durable: false, log });
  ends.push(() => temporal.stop());
  const mail = await startSmtpServer();
  ends.push(() => mail.close());
  const installation: Installation = {
    folders: { before, now: root },
    logs: place,
    env: {
      ...{ NODE_ENV: 'development', LOG_LEVEL: 'warn', REKINDLE_TIME_SCALE: String(timeScale) },
      ...{ DATABASE_URL: postgres.url, TEMPORAL_ADDRESS: temporal.address, SMTP_URL: mail.url, PUBLIC_URL: 'http://rekindle.example.com' },
      REKINDLE_MASTER_KEY: randomBytes(32).toString('base64'),
    },
  };
  const running: Running[] = [];
  ends.push(() => Promise.all(running.map((one) => one.end())));
  const builds = new Map<string, BuildName>();
  const start = async (build: BuildName, program: 'api/server' | 'worker/main', more = {}) => {
    const one = await begin(installation, build, program, more);
    running.push(one);
    builds.set(String(one.pid), build);
    return one;
  };

  await runOf(installation, 'before', ['db/migrate.js']);
  const target = JSON.parse(await runOf(installation, 'before', ['--input-type=module', '--eval', makeStore])) as { path: string; secret: string };
  const oldWorkers = [await start('before', 'worker/main'), await start('before', 'worker/main')];
  let apis = [await start('before', 'api/server')];
  const carts = openCarts(target, () => apis.map(({ port }) => port));
  ends.push(() => carts.stop());
  /** Carts of a time have its name. */
  const phase = async (name: string, what: string) => {
    say(what);
    carts.name(name);
    await sleep(phaseMs);
  };
  const ledger = await openLedger(postgres.url, temporal.address, builds);
  ends.push(() => ledger.close());
  const atFirst = await ledger.migrations();

  await phase('before', 'the build before, alone: one API, two workers');
  say('migrating while they run');
  await runOf(installation, 'now', ['db/migrate.js']);
  await phase('migrated', `${(await ledger.migrations()) - atFirst} migrations more; the processes of before go on`);
  const held = { REKINDLE_HOLD_PATCHES: '1' };
  const first = await start('now', 'worker/main', held);
  await phase('beside', 'a new worker beside the two of before');
  for (const worker of oldWorkers) await worker.end();
  const second = await start('now', 'worker/main', held);
  await phase('workers', 'new workers alone, with the API of before');
  const old = apis;
  apis = [...old, await start('now', 'api/server', held)];
  await phase('apis', 'APIs of both builds, in turns');
  apis = apis.filter((one) => !old.includes(one));
  for (const one of old) await one.end();
  // No process of before is left: what was held takes effect.
  const heldBack = [...apis, first, second];
  apis = [await start('now', 'api/server')];
  await start('now', 'worker/main');
  await start('now', 'worker/main');
  for (const one of heldBack) await one.end();
  await phase('now', 'the new build alone');
  await carts.stop();
  say(`${carts.all.length} carts; waiting for the last emails`);
  const done = await waitUntil(async () => (await ledger.open()) === 0, 300_000, 1_000);

  const report = await ledger.judge(carts.all, mail.accepted);
  for (const line of report.lines) console.log(line);
  const faults = [...report.faults];
  if (!done) faults.push(`${await ledger.open()} enrollments have not ended`);
  for (const build of ['before', 'now'] as const) {
    const said = warningsIn(logOf(installation, build));
    console.log(`\nlog of ${build}: ${said.length === 0 ? 'nothing above info' : ''}`);
    for (const [text, times] of said) console.log(`  ${times} × ${text}`);
  }
  for (const fault of faults) console.log(`FAULT  ${fault}`);
  console.log(faults.length === 0 ? '\nNothing was lost, nothing was sent twice, and whoever bought, replied or opted out got nothing more.' : '');
  return faults.length === 0;
}

/** What a log says above `info`, and how often. */
function warningsIn(file: string): [string, number][] {
  const counts = new Map<string, number>();
  for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
    let text = line;
    try {
      const { msg, err } = JSON.parse(line) as { msg?: string; err?: { message?: string; cause?: { message?: string } } };
      text = [msg, err?.message, err?.cause?.message].filter(Boolean).join(': ');
    } catch {
      // A line that is no JSON says what it says.
    }
    const short = text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '…').slice(0, 240);
    counts.set(short, (counts.get(short) ?? 0) + 1);
  }
  return [...counts].toSorted(([, a], [, b]) => b - a).slice(0, 20);
}

try {
  process.exitCode = (await rehearse()) ? 0 : 1;
} finally {
  for (const end of ends.toReversed()) await end();
}
