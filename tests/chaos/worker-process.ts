import { readFile } from 'node:fs/promises';
import { pino } from 'pino';
import { createDeps } from '../../operations/create-deps.ts';
import type { CompiledPreset } from '../../operations/compiled-preset.ts';
import type { Checkpoint } from '../../operations/deps.ts';
import { startWorker } from '../../worker/start-worker.ts';
import { createStubSender } from '../helpers/stub-sender.ts';

/** A worker in a process of its own, of this build or another. Configured by one JSON argument; ends in order on SIGTERM. */
export interface WorkerProcessConfig {
  databaseUrl: string;
  masterKey: string;
  smtpUrl: string;
  address: string;
  taskQueue: string;
  holdPatches?: boolean;
  /** At each of these one dispatch stops for good, and its name is said over IPC. `passes`: so many dispatches go on before. */
  hangAt?: { point: Checkpoint; passes: number }[];
  /** The port of a stub provider that knows keys, to send by; null: by SMTP. */
  keyedProviderPort?: number | null;
  /** The compiled presets; by default they are read and compiled, which takes seconds. */
  presetsFile?: string;
}
const config = JSON.parse(process.argv[2] ?? '') as WorkerProcessConfig;
const { keyedProviderPort = null, hangAt = [], presetsFile } = config;
const deps = createDeps({
  databaseUrl: config.databaseUrl,
  masterKey: Buffer.from(config.masterKey, 'base64'),
  publicUrl: 'http://rekindle.example.com',
  smtpUrl: config.smtpUrl,
  timeScale: null,
  log: pino({ level: process.env['TEST_LOG'] ?? 'silent' }),
  applicationName: 'worker process',
  ...(presetsFile === undefined ? {} : { presets: async () => JSON.parse(await readFile(presetsFile, 'utf8')) as CompiledPreset[] }),
  ...(keyedProviderPort === null ? {} : { defaultSenders: [createStubSender(keyedProviderPort, { kind: 'keys' })] }),
  checkpoints: async (at) => {
    const index = hangAt.findIndex(({ point }) => point === at);
    const hang = hangAt[index];
    if (hang === undefined || hang.passes-- > 0) return;
    hangAt.splice(index, 1);
    process.send?.(at);
    await new Promise(() => undefined);
  },
});
const worker = await startWorker(
  deps,
  { address: config.address, namespace: 'default', apiKey: null, tls: false, taskQueue: config.taskQueue },
  { relayEveryMs: 100, sweepEveryMs: 500, reconcileEveryMs: 3_600_000, holdPatches: config.holdPatches ?? false },
);
process.on('SIGTERM', () => void worker.stop());
process.send?.('ready');
await worker.done;
await deps.db.close();
process.exit(0);
