import { createServer } from 'node:http';
import { EnvError, readEnv } from '../config/env.ts';
import { createLogger } from '../config/logger.ts';
import { privateAddressesOf } from '../config/private-addresses.ts';
import { createPrometheus } from '../config/telemetry.ts';
import { createDeps } from '../operations/create-deps.ts';
import { currentRequestId } from '../operations/request-context.ts';
import { useOwnKeys } from '../operations/keys/own-keys.ts';
import { startWorker } from './start-worker.ts';

/** config → db → integrations → operations → activities → Worker; ends cleanly on SIGTERM or SIGINT. */
async function main(): Promise<void> {
  const env = readEnv();
  const log = createLogger({ part: 'worker', level: env.LOG_LEVEL, requestId: currentRequestId });
  const { registry, telemetry } = createPrometheus();
  const deps = createDeps({
    databaseUrl: env.DATABASE_URL,
    masterKey: env.REKINDLE_MASTER_KEY,
    otherMasterKeys: env.REKINDLE_OTHER_MASTER_KEYS,
    publicUrl: env.PUBLIC_URL,
    smtpUrl: env.SMTP_URL,
    mailFrom: env.REKINDLE_MAIL_FROM,
    dkim: env.DKIM,
    privateAddresses: privateAddressesOf(env),
    timeScale: env.REKINDLE_TIME_SCALE,
    interventionStores: env.REKINDLE_INTERVENTION_STORES,
    ownModels: env.REKINDLE_RISK_MODELS,
    log,
    applicationName: 'rekindle-worker',
    telemetry,
  });
  await useOwnKeys(deps);
  const temporal = {
    address: env.TEMPORAL_ADDRESS,
    namespace: env.TEMPORAL_NAMESPACE,
    apiKey: env.TEMPORAL_API_KEY,
    tls: env.TEMPORAL_TLS,
    payloadKeys: env.PAYLOAD_KEYS,
  };
  const worker = await startWorker(deps, temporal, {
    holdPatches: env.REKINDLE_HOLD_PATCHES,
    silentSweep: { most: env.SILENT_SWEEP_MOST, everySeconds: env.SILENT_SWEEP_SECONDS },
    ghostSweep: { most: env.GHOST_SWEEP_MOST, everySeconds: env.GHOST_SWEEP_SECONDS },
  });
  const metrics =
    env.METRICS_PORT === null
      ? null
      : createServer((_request, response) => {
          response.setHeader('x-content-type-options', 'nosniff');
          void registry.metrics().then((text) => response.setHeader('content-type', registry.contentType).end(text));
        }).listen(env.METRICS_PORT, env.HOST);
  log.info({}, 'worker is ready');
  process.send?.('ready');

  let ending = false;
  const end = (signal: string) => {
    if (ending) return;
    ending = true;
    log.info({ signal }, 'worker is shutting down');
    metrics?.close();
    void worker.stop();
  };
  process.on('SIGTERM', () => end('SIGTERM'));
  process.on('SIGINT', () => end('SIGINT'));
  await worker.done;
  await deps.db.close();
  log.info({}, 'worker has ended');
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    const known = error instanceof EnvError || (error instanceof Error && 'code' in error && typeof error.code === 'string');
    process.stderr.write(`${error instanceof Error ? (known ? error.message : (error.stack ?? error.message)) : String(error)}\n`);
    process.exit(1);
  },
);
