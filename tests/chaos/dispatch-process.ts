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
for (const { enrollmentId, hangAt } of dispatches) {
  const checkpoints = async (at: Checkpoint) => {
    if (at !== hangAt) return;
    standing += 1;
    if (standing === dispatches.length) process.send?.('ready');
    await new Promise(() => undefined);
  };
  void dispatchStep({ ...deps, checkpoints }, { tenantId, enrollmentId, stepId });
}
