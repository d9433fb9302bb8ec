import { pino } from 'pino';
import { createDeps } from '../../operations/create-deps.ts';
import { startWorker } from '../../worker/start-worker.ts';

/** A worker of some build, in a process of its own. Configured by one JSON argument; ends in order on SIGTERM. */
export interface BuildConfig {
  databaseUrl: string;
  masterKey: string;
  smtpUrl: string;
  address: string;
  taskQueue: string;
  holdPatches: boolean;
}
const config = JSON.parse(process.argv[2] ?? '') as BuildConfig;
const deps = createDeps({
  databaseUrl: config.databaseUrl,
  masterKey: Buffer.from(config.masterKey, 'base64'),
  publicUrl: 'http://rekindle.example.com',
  smtpUrl: config.smtpUrl,
  timeScale: null,
  log: pino({ level: process.env['TEST_LOG'] ?? 'silent' }),
  applicationName: 'build',
});
const worker = await startWorker(
  deps,
  { address: config.address, namespace: 'default', apiKey: null, tls: false, taskQueue: config.taskQueue },
  { relayEveryMs: 100, sweepEveryMs: 500, reconcileEveryMs: 3_600_000, holdPatches: config.holdPatches },
);
process.on('SIGTERM', () => void worker.stop());
process.send?.('ready');
await worker.done;
await deps.db.close();
process.exit(0);
