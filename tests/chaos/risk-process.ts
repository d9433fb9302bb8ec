import { pino } from 'pino';
import { createDeps } from '../../operations/create-deps.ts';
import type { Checkpoint } from '../../operations/deps.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { assessDue } from '../../operations/risk/assess.ts';
import { workOnRun } from '../../operations/risk/runs.ts';

/** What is done about accounts at risk, in a process of its own, which stops for good at a point, to be killed there. Configured by one JSON argument. */
export interface RiskProcessConfig {
  databaseUrl: string;
  masterKey: string;
  tenantId: string;
  /** A portfolio, the accounts that are due, or one step of an intervention. */
  does: { kind: 'portfolio'; runId: string } | { kind: 'assess' } | { kind: 'dispatch'; enrollmentId: string; stepId: string };
  hangAt: Checkpoint;
  /** It stops when it comes to the point for this time, counted from 1. */
  time: number;
}
const { databaseUrl, masterKey, tenantId, does, hangAt, time } = JSON.parse(process.argv[2] ?? '') as RiskProcessConfig;
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
const work = async (): Promise<unknown> => {
  if (does.kind === 'portfolio') return workOnRun(deps, { tenantId, runId: does.runId });
  if (does.kind === 'assess') return assessDue(deps);
  return dispatchStep(deps, { tenantId, enrollmentId: does.enrollmentId, stepId: does.stepId });
};
work()
  .then(() => Promise.reject(new Error(`it was to stop at ${hangAt}, and came to its end`)))
  .catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
