import { randomUUID } from 'node:crypto';
import { noTelemetry } from '../operations/telemetry.ts';
import { firstDueHours, spacingHours } from './five-mails.ts';
import { known, type Latency, type Measured, pace } from './measure.ts';
import { allEnded, type BenchTenant, countEnded, openFloor, openRecovery, type RecoveryBench, runThrough } from './recovery.ts';
import { accept, cartUpdated, sign } from './shop.ts';
import type { BenchStack } from './stack.ts';

/** An hour of the plan in a second. */
const timeScale = 3_600;
const steps = 3;
const forSeconds = 10;
const dueAfterMs = Array.from({ length: steps }, (_, i) => ((firstDueHours + i * spacingHours) * 3_600_000) / timeScale);

/**
 * How late after its due time the provider is called, at light load and under load, beside the lateness of a bare timer's activity. Both loads are
 * shares of what this machine carries at most, measured first: how late a saturated queue is says nothing about the product.
 * @param shares - of the capacity, 0 to 1
 */
export async function measureDueToCall(stack: BenchStack, shares: { light: number; loaded: number }): Promise<Measured> {
  let late: number[] = [];
  const bench = await openRecovery(stack, { telemetry: { ...noTelemetry, dueToCall: (ms) => void late.push(ms) } });
  let floorLate: number[] = [];
  const floor = await openFloor(stack, { late: async (dueMs: number) => void floorLate.push(Math.max(0, Date.now() - dueMs)) });
  try {
    const capacity = await measureCapacity(bench);
    const tenant = await bench.tenant('bench-due', timeScale, steps);
    const latencies: Latency[] = [];
    const loads: string[] = [];
    for (const [load, share] of Object.entries(shares)) {
      const perSecond = capacity * share;
      const count = Math.max(10, Math.round(perSecond * forSeconds));
      [late, floorLate] = [[], []];
      await runFloor(bench, count, perSecond);
      await runProduct(bench, tenant, count, perSecond);
      latencies.push({ name: `due_to_call_${load}`, valuesMs: late, floorMs: floorLate });
      loads.push(`${load}: ${perSecond.toFixed(1)} a second, ${(share * 100).toFixed(0)} %`);
    }
    return {
      figures: [known('due_capacity', capacity, 'carts/s')],
      latencies,
      notes: [
        `due_to_call: new carts of ${steps} emails each, as many a second as a share of due_capacity (${loads.join('; ')}); the clocks have 1 ms`,
        'due_capacity: carts with all their steps due at once, 50 at a time, from their webhook to their end',
      ],
    };
  } finally {
    await floor.close();
    await bench.close();
  }
}

/** Carts a second from their webhook to their end, when no step waits for its time. */
async function measureCapacity(bench: RecoveryBench): Promise<number> {
  const tenant = await bench.tenant('bench-due-capacity', 360_000, steps);
  const run = (count: number) =>
    runThrough(bench.deps, tenant.tenantId, count, 50, () => accept(bench.deps, sign(tenant, cartUpdated(randomUUID()))));
  // The first ones load code and fill caches.
  await run(50);
  const count = 150;
  const fromMs = performance.now();
  await run(count);
  return (count * 1_000) / (performance.now() - fromMs);
}

async function runFloor({ client }: RecoveryBench, count: number, perSecond: number): Promise<void> {
  await pace(count, perSecond, async () => {
    const startMs = Date.now();
    await client.workflow.execute('dueSteps', { taskQueue: 'floor', workflowId: randomUUID(), args: [dueAfterMs.map((ms) => startMs + ms)] });
  });
}

async function runProduct({ deps }: RecoveryBench, tenant: BenchTenant, count: number, perSecond: number): Promise<void> {
  const before = await countEnded(deps, tenant.tenantId);
  await pace(count, perSecond, () => accept(deps, sign(tenant, cartUpdated(randomUUID()))));
  await allEnded(deps, tenant.tenantId, before + count);
}
