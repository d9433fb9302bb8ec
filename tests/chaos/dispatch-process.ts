import { pino } from 'pino';
import { createDeps } from '../../operations/create-deps.ts';
import type { Checkpoint } from '../../operations/deps.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { createStubSender } from '../helpers/stub-sender.ts';

/** One dispatch in a process of its own, which stops for good at a point, to be killed there. Configured by one JSON argument. */
export interface DispatchProcessConfig {
  databaseUrl: string;
  masterKey: string;
  /** Of a stub provider that knows keys. */
  providerPort: number;
  tenantId: string;
  enrollmentId: string;
  stepId: string;
  hangAt: Checkpoint;
}
const { databaseUrl, masterKey, providerPort, hangAt, ...step } = JSON.parse(process.argv[2] ?? '') as DispatchProcessConfig;
const deps = createDeps({
  databaseUrl,
  masterKey: Buffer.from(masterKey, 'base64'),
  publicUrl: 'http://rekindle.example.com',
  smtpUrl: null,
  timeScale: null,
  log: pino({ level: 'silent' }),
  applicationName: 'dispatch process',
  defaultSenders: [createStubSender(providerPort, { kind: 'keys' })],
  checkpoints: async (at) => {
    if (at !== hangAt) return;
    process.send?.('ready');
    await new Promise(() => undefined);
  },
});
await dispatchStep(deps, step);
