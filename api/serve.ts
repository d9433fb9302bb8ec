import { readEnv } from '../config/env.ts';
import { createLogger } from '../config/logger.ts';
import { privateAddressesOf } from '../config/private-addresses.ts';
import { createPrometheus } from '../config/telemetry.ts';
import { runInBackground } from '../operations/background.ts';
import { createChatWorker } from '../operations/chat/chat-worker.ts';
import { createDeps, type DepsOptions } from '../operations/create-deps.ts';
import { connectFirstLocation } from '../operations/first-location.ts';
import { useOwnKeys } from '../operations/keys/own-keys.ts';
import { publishPresets } from '../operations/publish-presets.ts';
import { currentRequestId } from '../operations/request-context.ts';
import { createRelay } from '../operations/relay-outbox.ts';
import { lazyClient } from '../temporal/connect.ts';
import { createWorkflowEngine } from '../temporal/engine.ts';
import { buildApp } from './app.ts';

/** A flood begins with as many new connections. Those for which the kernel has no place come again a second later, then after three. */
const waitingConnections = 4_096;

/**
 * Listen; relay what webhooks leave in the outbox right after their commit; end cleanly on SIGTERM or SIGINT.
 * @param options - for benchmarks that compare
 */
export async function serve(options: Pick<DepsOptions, 'sets'> = {}): Promise<void> {
  const env = readEnv();
  const log = createLogger({ part: 'api', level: env.LOG_LEVEL, requestId: currentRequestId });
  const { registry, telemetry } = createPrometheus();
  const deps = createDeps({
    databaseUrl: env.DATABASE_URL,
    masterKey: env.REKINDLE_MASTER_KEY,
    otherMasterKeys: env.REKINDLE_OTHER_MASTER_KEYS,
    publicUrl: env.PUBLIC_URL,
    smtpUrl: env.SMTP_URL,
    mailFrom: env.REKINDLE_MAIL_FROM,
    dkim: env.DKIM,
    oidc: env.OIDC,
    privateAddresses: privateAddressesOf(env),
    timeScale: env.REKINDLE_TIME_SCALE,
    interventionStores: env.REKINDLE_INTERVENTION_STORES,
    ownModels: env.REKINDLE_RISK_MODELS,
    log,
    applicationName: 'rekindle-api',
    telemetry,
    ...options,
  });
  await useOwnKeys(deps);
  await publishPresets(deps, await deps.presets(), { isHeld: env.REKINDLE_HOLD_PATCHES });
  const client = lazyClient({
    address: env.TEMPORAL_ADDRESS,
    namespace: env.TEMPORAL_NAMESPACE,
    apiKey: env.TEMPORAL_API_KEY,
    tls: env.TEMPORAL_TLS,
    payloadKeys: env.PAYLOAD_KEYS,
  });
  const relay = runInBackground(
    'relay',
    1_000,
    createRelay({ ...deps, engine: createWorkflowEngine(client) }, () => deps.floods.any()),
    log,
  );
  // Where a webhook brings an update, its answer leaves from here, right after the commit.
  const chatWorker = createChatWorker(deps);
  const chats = runInBackground('chats', 1_000, chatWorker.pass, log);
  const signIns = runInBackground('sign-ins', 3_600_000, () => deps.identity.prune().then(() => false), log);
  deps.onKick(() => {
    relay.kick();
    chats.kick();
  });
  const app = await buildApp({
    deps,
    logger: log,
    client,
    registry,
    links: { temporalUi: env.TEMPORAL_UI_URL, mailbox: env.MAILBOX_URL },
    livePage: env.REKINDLE_LIVE_PAGE,
    installationKey: env.REKINDLE_INSTALLATION_KEY,
    corsOrigins: env.REKINDLE_CORS_ORIGINS,
    trustedProxies: env.REKINDLE_TRUSTED_PROXIES,
    payloadKeys: env.PAYLOAD_KEYS,
  });
  await app.listen({ host: env.HOST, port: env.PORT, backlog: waitingConnections });
  log.info({ port: env.PORT }, 'api is ready');
  if (env.GHL !== null) {
    // An unreachable provider must not keep the process from starting.
    void connectFirstLocation(deps, env.GHL).catch((error: unknown) => log.error({ err: error }, 'the location of GHL_LOCATION_ID is not connected'));
  }
  // For a parent process; without one this does nothing.
  process.send?.('ready');

  let ending = false;
  const end = (signal: string) => {
    if (ending) return;
    ending = true;
    log.info({ signal }, 'api is shutting down');
    void app
      .close()
      .then(() => Promise.all([relay.stop(), chats.stop(), chatWorker.stop(), signIns.stop()]))
      // The client's channel ends with the process: closed, it throws at retries of its own that still wait, where nobody can catch it.
      .then(() => deps.db.close())
      .then(() => process.exit(0));
  };
  process.on('SIGTERM', () => end('SIGTERM'));
  process.on('SIGINT', () => end('SIGINT'));
}
