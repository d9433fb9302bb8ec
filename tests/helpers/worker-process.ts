import { pino } from 'pino';
import { createDeps } from '../../operations/create-deps.ts';
import type { Checkpoint } from '../../operations/deps.ts';
import { startWorker } from '../../worker/start-worker.ts';
import { createStubSender } from './stub-sender.ts';

/*
 * A worker in a process of its own, to be killed: at each checkpoint that it was given one dispatch stops for good, and it says so on its
 * IPC channel. Configured by one JSON argument.
 */
interface Config {
  databaseUrl: string;
  masterKey: string;
  smtpUrl: string;
  address: string;
  taskQueue: string;
  /** `passes`: so many dispatches go on before one stops. */
  hangAt: { point: Checkpoint; passes: number }[];
  /** The port of a stub provider that knows keys, to send by; null: by SMTP. */
  keyedProviderPort: number | null;
}
const config = JSON.parse(process.argv[2] ?? '') as Config;
const deps = createDeps({
  databaseUrl: config.databaseUrl,
  masterKey: Buffer.from(config.masterKey, 'base64'),
  publicUrl: 'http://rekindle.example.com',
  smtpUrl: config.smtpUrl,
  timeScale: null,
  log: pino({ level: 'silent' }),
  applicationName: 'doomed',
  ...(config.keyedProviderPort === null ? {} : { defaultSenders: [createStubSender(config.keyedProviderPort, { kind: 'keys' })] }),
  checkpoints: async (at) => {
    const index = config.hangAt.findIndex(({ point }) => point === at);
    const hang = config.hangAt[index];
    if (hang === undefined || hang.passes-- > 0) return;
    config.hangAt.splice(index, 1);
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
