import { pino } from 'pino';
import { createDeps } from '../../operations/create-deps.ts';
import type { Checkpoint } from '../../operations/deps.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { createStubSender } from '../helpers/stub-sender.ts';

/** Dispatches in a process of its own, each of which stops for good at a point, to be killed there. Configured by one JSON argument. */
export interface DispatchProcessConfig {
  databaseUrl: string;
  masterKey: string;
  /** Of a stub provider that knows keys. */
  providerPort: number;
  tenantId: string;
  stepId: string;
  dispatches: { enrollmentId: string; hangAt: Checkpoint }[];
}
const { databaseUrl, masterKey, providerPort, tenantId, stepId, dispatches } = JSON.parse(process.argv[2] ?? '') as DispatchProcessConfig;
const deps = createDeps({
  databaseUrl,
  masterKey: Buffer.from(masterKey, 'base64'),
  publicUrl: 'http://rekindle.example.com',
  smtpUrl: null,
  timeScale: null,
  log: pino({ level: 'silent' }),
  applicationName: 'dispatch process',
  defaultSenders: [createStubSender(providerPort, { kind: 'keys' })],
});
let standing = 0;
async function standAt({ enrollmentId, hangAt }: DispatchProcessConfig['dispatches'][number]): Promise<never> {
  const checkpoints = async (at: Checkpoint) => {
    if (at !== hangAt) return;
    standing += 1;
    if (standing === dispatches.length) process.send?.('ready');
    await new Promise(() => undefined);
  };
  for (;;) {
    const result = await dispatchStep({ ...deps, checkpoints }, { tenantId, enrollmentId, stepId });
    // As the activity is retried.
    if (result.kind !== 'again') throw new Error(`a dispatch that was to stand at ${hangAt} ended as ${result.kind}`);
    await new Promise((done) => setTimeout(done, Math.max(10, result.inMs)));
  }
}

// What stands holds no handle: without this the process would end before it is killed.
process.channel?.ref();
Promise.all(dispatches.map(standAt)).catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
