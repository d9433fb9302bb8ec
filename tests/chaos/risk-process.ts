import { pino } from 'pino';
import { createDeps } from '../../operations/create-deps.ts';
import type { Checkpoint } from '../../operations/deps.ts';
import { workOnRun } from '../../operations/risk/runs.ts';

/** A portfolio's assessment in a process of its own, which stops for good at a point, to be killed there. Configured by one JSON argument. */
export interface RiskProcessConfig {
  databaseUrl: string;
  masterKey: string;
  tenantId: string;
  runId: string;
  hangAt: Checkpoint;
  /** It stops when it comes to the point for this time, counted from 1. */
  time: number;
}
const { databaseUrl, masterKey, tenantId, runId, hangAt, time } = JSON.parse(process.argv[2] ?? '') as RiskProcessConfig;
let times = 0;
const deps = createDeps({
  databaseUrl,
  masterKey: Buffer.from(masterKey, 'base64'),
  publicUrl: 'http://rekindle.example.com',
  smtpUrl: null,
  timeScale: null,
  log: pino({ level: 'silent' }),
  applicationName: 'risk process',
  checkpoints: async (at) => {
    if (at !== hangAt || ++times < time) return;
    process.send?.('ready');
    await new Promise(() => undefined);
  },
});

// What stands holds no handle: without this the process would end before it is killed.
process.channel?.ref();
workOnRun(deps, { tenantId, runId })
  .then(() => Promise.reject(new Error(`it was to stop at ${hangAt}, and came to its end`)))
  .catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
