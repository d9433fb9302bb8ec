import { pino } from 'pino';
import { createDeps } from '../../operations/create-deps.ts';
import type { Checkpoint } from '../../operations/deps.ts';
import { startWorker } from '../../worker/start-worker.ts';

/*
 * A worker in a process of its own, to be killed: it stops for good at the checkpoint it was given and says so on its IPC channel.
 * Configured by one JSON argument.
 */
interface Config {
  databaseUrl: string;
  masterKey: string;
  smtpUrl: string;
  address: string;
  taskQueue: string;
  hangAt: Checkpoint | null;
}
const config = JSON.parse(process.argv[2] ?? '') as Config;
let hung = false;
const deps = createDeps({
  databaseUrl: config.databaseUrl,
  masterKey: Buffer.from(config.masterKey, 'base64'),
  publicUrl: 'http://rekindle.example.com',
  smtpUrl: config.smtpUrl,
  timeScale: null,
  log: pino({ level: 'silent' }),
  applicationName: 'doomed',
  checkpoints: async (at) => {
    if (at !== config.hangAt || hung) return;
    hung = true;
    process.send?.(at);
    await new Promise(() => undefined);
  },
});
await startWorker(
  deps,
  { address: config.address, namespace: 'default', apiKey: null, tls: false, taskQueue: config.taskQueue },
  { relayEveryMs: 100, sweepEveryMs: 500 },
);
process.send?.('ready');
