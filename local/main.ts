import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EnvError } from '../config/env.ts';
import { migrate } from '../db/migrate.ts';
import { installationKey, masterKey } from './credentials.ts';
import { buildDashboard } from './dashboard.ts';
import { startDemoLeads } from './demo-leads/demo-leads.ts';
import { startDemoStore } from './demo-store/demo-store.ts';
import { buildShopSite } from './demo-store/shop-site.ts';
import type { Window } from './demo-store/shop-window.ts';
import { inOrder } from './in-order.ts';
import { lockFile, lockInstance } from './instance-lock.ts';
import { keepRunning } from './keep-running.ts';
import { localDir, writeJson } from './local-files.ts';
import { type LocalModel, startLocalModel } from './model/server.ts';
import { startMailbox } from './mailbox/mailbox.ts';
import { startPart } from './part.ts';
import { type Phone, startPhone } from './phone/phone.ts';
import { freePortFrom, lostPort } from './ports.ts';
import { startPostgres } from './postgres.ts';
import { removePostgres } from './postgres-place.ts';
import { type Providers, startProviders } from './providers/providers.ts';
import { readyText } from './ready-text.ts';
import { apiUrlOf, checkSettings, type LocalSettings, readSettings } from './settings.ts';
import { StartError } from './start-error.ts';
import { findTemporal, temporalWays } from './temporal-binary.ts';
import { startTemporal } from './temporal-server.ts';
import { watchTemporalFile } from './temporal-file-watch.ts';
import { type DemoWorld, provisionTenants } from './tenants.ts';

// The whole of Rekindle on one machine. Started by local/start.mjs in a process group of its own; that process says when to stop.

const projectRoot = join(localDir, '..');
const demoTimeScale = 3600;
const say = (line: string) => console.log(line);

const parts = inOrder();
const { begin } = parts;
let stopping: Promise<void> | null = null;
/** What the counter of the demo shop needs: known when its tenant is. */
let shopWindow: Window | null = null;

start(process.argv.slice(2)).catch((error: unknown) => {
  if (stopping !== null) return;
  const expected = error instanceof StartError || error instanceof EnvError;
  console.error(lostPort(error) ?? (expected ? error.message : error));
  stop(1);
});

process.on('message', (message) => message === 'stop' && stop(0));
// The starter is gone (its terminal was closed, it was killed): stop now, because nothing else will.
process.on('disconnect', () => stop(0));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop(0));

function stop(code: number): void {
  if (stopping !== null) return;
  if (code === 0) say('\nStopping …');
  stopping = stopAll(code).finally(() => process.exit(code));
}

async function stopAll(code: number): Promise<void> {
  await parts.stop({
    stopped: (name) => code === 0 && name !== '' && say(`  ${name} stopped`),
    failed: (name, error) => console.error(`  ${name} did not stop cleanly: ${error instanceof Error ? error.message : String(error)}`),
  });
  if (code === 0) say('Everything is kept in .rekindle/. npm start resumes all running sequences.');
}

async function start(args: string[]): Promise<void> {
  const settings = readSettings(args);
  await begin(
    '',
    async () => lockInstance(localDir),
    async (unlock) => unlock(),
  );
  await checkSettings(settings);
  if (args.includes('--fresh')) wipe(args);
  const key = masterKey(localDir);
  const dashboard = prepareDashboard();

  const databaseUrl = settings.databaseUrl ?? (await startOwnPostgres(settings));
  const temporal = settings.temporalAddress === null ? await startOwnTemporal(settings) : { address: settings.temporalAddress, uiUrl: null };
  await migrate(process.env.MIGRATION_DATABASE_URL || databaseUrl);
  const mail = await startMail(settings);
  const apiUrl = apiUrlOf(settings);
  const shopUrl = settings.demo === 'wanted' ? await startShopSite(settings) : null;
  if (settings.demo === 'no_mailbox')
    say('The demo store is left out: SMTP_URL is set, and its emails must not reach a real server. (MAILBOX_URL names a mailbox’s page.)');
  const world = shopUrl === null ? null : await startStandIns(settings, shopUrl, key, mail.smtpUrl);
  const tenants = await provisionTenants({ databaseUrl, masterKey: key, apiUrl, dir: localDir, world });
  if (tenants.demo !== null) shopWindow = { apiUrl, key: tenants.demo.onsiteKey, target: tenants.demo.generic };

  const env = {
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: temporal.address,
    REKINDLE_MASTER_KEY: key,
    REKINDLE_INSTALLATION_KEY: installationKey(localDir),
    SMTP_URL: mail.smtpUrl,
    // Invitations and links to new passwords are in the mailbox, too.
    REKINDLE_MAIL_FROM: process.env['REKINDLE_MAIL_FROM'] ?? 'Rekindle <team@rekindle.example.com>',
    PUBLIC_URL: settings.publicUrl,
    HOST: settings.host,
    PORT: String(settings.ports.api),
    // The live page shows everything without a key, so it is for this machine only.
    ...(['127.0.0.1', 'localhost', '::1'].includes(settings.host) ? { REKINDLE_LIVE_PAGE: '1' } : {}),
    ...(temporal.uiUrl === null ? {} : { TEMPORAL_UI_URL: temporal.uiUrl }),
    ...(mail.webUrl === null ? {} : { MAILBOX_URL: mail.webUrl }),
  };
  await dashboard;
  await startOwnPart('API', 'api/server.ts', env, () => answers(`${apiUrl}/readyz`), 10_000);
  const timeScale = settings.timeScale ?? demoTimeScale;
  if (tenants.demo !== null && shopUrl !== null && mail.webUrl !== null) {
    const options = { targets: tenants.demo, apiUrl, publicUrl: settings.publicUrl, shopUrl, mailboxUrl: mail.webUrl, timeScale, say };
    await begin(
      'demo store',
      async () => startDemoStore(options),
      (store) => store.stop(),
    );
  }
  if (tenants.leads !== null && world !== null && mail.webUrl !== null) {
    const { providers, phone, phoneUrl } = world;
    const { publicUrl } = settings;
    const options = { targets: tenants.leads, providers, texts: phone.texts, phoneUrl, mailboxUrl: mail.webUrl, apiUrl, publicUrl, timeScale, say };
    await begin(
      'demo store for leads',
      async () => startDemoLeads(options),
      (store) => store.stop(),
    );
  }
  const metricsPort = settings.ports.workerMetrics ?? (await freePortFrom(9464));
  await startOwnPart('worker', 'worker/main.ts', { ...env, METRICS_PORT: String(metricsPort) }, () => answers(`${apiUrl}/healthz`), 20_000);

  writeJson(localDir, 'addresses.json', {
    live: `${apiUrl}/`,
    mailbox: mail.webUrl,
    temporal: temporal.uiUrl,
    shop: shopUrl,
    providers: world?.providers.url ?? null,
  });
  if (stopping === null)
    say(
      readyText({
        settings,
        apiUrl,
        mailboxUrl: mail.webUrl,
        phoneUrl: world?.phoneUrl ?? null,
        providersUrl: world?.providers.url ?? null,
        temporal,
        metricsPort,
        shopUrl,
      }),
    );
}

/** Beside the start of everything else. Without a dashboard carts are brought back as well. */
async function prepareDashboard(): Promise<void> {
  try {
    await buildDashboard();
  } catch (error) {
    say(`The dashboard cannot be built, and is left out: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function wipe(args: readonly string[]): void {
  if (!args.includes('--yes')) throw new StartError('--fresh removes all local data: use npm start -- --fresh, which asks, or add --yes.');
  removePostgres(join(localDir, 'postgres'));
  for (const name of readdirSync(localDir)) if (name !== lockFile && name !== 'bin') rmSync(join(localDir, name), { recursive: true, force: true });
  say('.rekindle/ was emptied.');
}

async function startOwnPostgres(settings: LocalSettings): Promise<string> {
  const options = { dir: join(localDir, 'postgres'), port: settings.ports.postgres, durable: true, socket: true, log: say };
  const kept = await begin(
    'Postgres',
    () => keepRunning('Postgres', () => startPostgres(options), say),
    (server) => server.stop(),
  );
  const { url, socketUrl } = kept.current();
  writeFileSync(join(localDir, 'postgres.url'), `${url}\n`, { mode: 0o600 });
  return socketUrl;
}

async function startOwnTemporal(settings: LocalSettings): Promise<{ address: string; uiUrl: string | null }> {
  const { temporal: port, temporalUi: uiPort } = settings.ports;
  const binary = await findTemporal(temporalWays({ projectBinDir: join(localDir, 'bin'), log: say }), say);
  const options = { dir: join(localDir, 'temporal'), port, uiPort, durable: true, log: say, binary };
  mkdirSync(options.dir, { recursive: true });
  const kept = await begin(
    'Temporal',
    () => keepRunning('Temporal', () => startTemporal(options), say),
    (server) => server.stop(),
  );
  await begin(
    '',
    async () => watchTemporalFile(kept),
    async (unwatch) => unwatch(),
  );
  return kept.current();
}

async function startMail(settings: LocalSettings): Promise<{ smtpUrl: string; webUrl: string | null }> {
  if (settings.smtpUrl !== null) return { smtpUrl: settings.smtpUrl, webUrl: settings.mailboxUrl };
  const options = { dir: join(localDir, 'mailbox'), smtpPort: settings.ports.smtp, httpPort: settings.ports.mailbox, host: '127.0.0.1' };
  const mailbox = await begin(
    'mailbox',
    () => startMailbox(options),
    (box) => box.stop(),
  );
  return { smtpUrl: mailbox.smtpUrl, webUrl: `http://localhost:${settings.ports.mailbox}` };
}

/** What synthetic people are reached by. */
async function startStandIns(settings: LocalSettings, shopUrl: string, seed: string, smtpUrl: string): Promise<DemoWorld & { phone: Phone }> {
  const host = '127.0.0.1';
  const phone = await begin(
    'phone',
    () => startPhone({ dir: join(localDir, 'phone'), port: settings.ports.phone, host }),
    (one) => one.stop(),
  );
  // Writes for the demo store alone: other stores connect a model of their own, and have templates until then.
  const model: LocalModel = await begin(
    'stand-in for a model',
    () => startLocalModel({ port: settings.ports.model }),
    (one) => one.close(),
  );
  const providers: Providers = await begin(
    'stand-ins for providers',
    () => startProviders({ port: settings.ports.providers, host, seed, smtpUrl }),
    (one) => one.stop(),
  );
  return { shopUrl, timeScale: demoTimeScale, phoneUrl: phone.webUrl, modelUrl: model.url, providers, phone };
}

async function startShopSite(settings: LocalSettings): Promise<string> {
  const site = buildShopSite(`http://localhost:${settings.ports.api}/`, () => shopWindow);
  await begin(
    '',
    () => site.listen({ host: '127.0.0.1', port: settings.ports.shop }),
    () => site.close(),
  );
  return `http://localhost:${settings.ports.shop}`;
}

async function startOwnPart(
  name: string,
  script: string,
  env: Record<string, string>,
  isReady: () => Promise<boolean>,
  graceMs: number,
): Promise<void> {
  const logFile = join(localDir, 'logs', `${name.toLowerCase()}.log`);
  const options = { name: `The ${name}`, script, cwd: projectRoot, env, logFile, isReady, readyWithinMs: 180_000, graceMs };
  await begin(
    name,
    (calledOff) => keepRunning(`The ${name}`, () => startPart({ ...options, calledOff }), say),
    (part) => part.stop(),
  );
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  await response.arrayBuffer();
  return response.ok;
}
