import { type Client, ScheduleAlreadyRunning } from '@temporalio/client';
import type { Log } from '../operations/deps.ts';
import {
  assessRiskWorkflowType,
  type RiskRun,
  reconcileScheduleId,
  retentionScheduleId,
  retentionWorkflowType,
  reconcileWorkflowType,
  type SilentSweep,
  ghostSweepScheduleId,
  ghostSweepWorkflowType,
  silentSweepScheduleId,
  silentSweepWorkflowType,
  taskQueue,
  trainRiskScheduleId,
  trainRiskWorkflowType,
} from '../workflows/contract.ts';
import { findMissingSearchAttributes, registerCommand } from './health.ts';

const keyword = 2;

/** Thrown when the namespace lacks search attributes and does not let us register them. Says what an operator has to run. */
export class SearchAttributesMissingError extends Error {
  readonly code = 'search_attributes_missing';
  constructor(missing: string[], cause: unknown) {
    super(`Temporal lacks the search attributes ${missing.join(', ')} and refused to register them. Run: ${registerCommand(missing)}`, { cause });
    this.name = 'SearchAttributesMissingError';
  }
}

/** Register what the workflows need, or, where the server refuses that, verify that it is there. */
export async function prepareSearchAttributes(client: Client, log: Log): Promise<void> {
  const { namespace } = client.options;
  const missing = await findMissingSearchAttributes(client);
  if (missing.length === 0) return;
  try {
    await client.connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map((name) => [name, keyword])),
    });
    log.info({ missing }, 'registered search attributes');
  } catch (error) {
    // Another process may have made it first.
    const still = await findMissingSearchAttributes(client);
    if (still.length > 0) throw new SearchAttributesMissingError(still, error);
  }
}

/**
 * Make sure that the reconciler's Schedule exists. Called periodically, because a Temporal that lost its state lost the Schedule too; then the first
 * run begins at once, to rebuild everything.
 */
export async function ensureReconcileSchedule(client: Client, everyMs: number, queue: string = taskQueue): Promise<void> {
  const id = queue === taskQueue ? reconcileScheduleId : `${reconcileScheduleId}/${queue}`;
  try {
    await client.schedule.create({
      scheduleId: id,
      spec: { intervals: [{ every: everyMs }] },
      action: { type: 'startWorkflow', workflowType: reconcileWorkflowType, taskQueue: queue, workflowId: id, args: [] },
      policies: { overlap: 'SKIP', catchupWindow: '1m' },
      state: { triggerImmediately: true },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}

/** Make sure that the Schedule exists by which each night, at three o'clock UTC, is taken away what is too old. */
export async function ensureRetentionSchedule(client: Client, queue: string = taskQueue): Promise<void> {
  const id = queue === taskQueue ? retentionScheduleId : `${retentionScheduleId}/${queue}`;
  try {
    await client.schedule.create({
      scheduleId: id,
      spec: { intervals: [{ every: '24h', offset: '3h' }] },
      action: { type: 'startWorkflow', workflowType: retentionWorkflowType, taskQueue: queue, workflowId: id, args: [] },
      policies: { overlap: 'SKIP', catchupWindow: '12h' },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}

/**
 * Make sure that the Schedule of the sweep for silent leads exists and has the interval that is configured. Its first run comes after one interval: an
 * installation that starts has nothing to catch up that events would not bring.
 */
export function ensureSilentSweepSchedule(client: Client, sweep: SilentSweep, queue: string = taskQueue): Promise<void> {
  return ensureSweep(client, { scheduleId: silentSweepScheduleId, workflowType: silentSweepWorkflowType }, sweep, queue);
}

/** The same of the sweep for leads that left a chat. */
export function ensureGhostSweepSchedule(client: Client, sweep: SilentSweep, queue: string = taskQueue): Promise<void> {
  return ensureSweep(client, { scheduleId: ghostSweepScheduleId, workflowType: ghostSweepWorkflowType }, sweep, queue);
}

/** Make sure that models are trained every night, at 03:17 UTC: an hour at which few shops are busy. */
export async function ensureTrainingSchedule(client: Client, queue: string = taskQueue): Promise<void> {
  const id = queue === taskQueue ? trainRiskScheduleId : `${trainRiskScheduleId}/${queue}`;
  try {
    await client.schedule.create({
      scheduleId: id,
      spec: { calendars: [{ hour: 3, minute: 17 }] },
      action: { type: 'startWorkflow', workflowType: trainRiskWorkflowType, taskQueue: queue, workflowId: id, args: [] },
      policies: { overlap: 'SKIP', catchupWindow: '6h' },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}

/** Start the assessment of a portfolio; one that runs already goes on. */
export async function startRiskRun(client: Client, run: RiskRun, queue: string = taskQueue): Promise<void> {
  await client.workflow.start(assessRiskWorkflowType, {
    taskQueue: queue,
    workflowId: `assess-risk/${run.runId}`,
    args: [run],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'USE_EXISTING',
    priority: { priorityKey: 5, fairnessKey: run.tenantId },
  });
}

async function ensureSweep(
  client: Client,
  { scheduleId, workflowType }: { scheduleId: string; workflowType: string },
  sweep: SilentSweep,
  queue: string,
): Promise<void> {
  const id = queue === taskQueue ? scheduleId : `${scheduleId}/${queue}`;
  const spec = { intervals: [{ every: sweep.everySeconds * 1_000 }] };
  const action = { type: 'startWorkflow' as const, workflowType, taskQueue: queue, workflowId: id, args: [sweep] };
  try {
    await client.schedule.create({ scheduleId: id, spec, action, policies: { overlap: 'SKIP', catchupWindow: '1m' } });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const handle = client.schedule.getHandle(id);
    const { spec: known, action: begun } = await handle.describe();
    const [before] = begun.type === 'startWorkflow' ? (begun.args ?? []) : [];
    if (known.intervals?.[0]?.every === sweep.everySeconds * 1_000 && isSame(before, sweep)) return;
    // The configuration has changed since it was made.
    await handle.update((previous) => ({ ...previous, spec, action }));
  }
}

const isSame = (before: unknown, { most, everySeconds }: SilentSweep): boolean =>
  typeof before === 'object' &&
  before !== null &&
  'most' in before &&
  'everySeconds' in before &&
  before.most === most &&
  before.everySeconds === everySeconds;
