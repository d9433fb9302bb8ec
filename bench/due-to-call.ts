import { randomUUID } from 'node:crypto';
import { noTelemetry } from '../operations/telemetry.ts';
import { firstDueHours, spacingHours } from './five-mails.ts';
import { type Latency, type Measured, pace } from './measure.ts';
import { allEnded, type BenchTenant, countEnded, openFloor, openRecovery, type RecoveryBench } from './recovery.ts';
import { accept, cartUpdated, sign } from './shop.ts';
import type { BenchStack } from './stack.ts';

/** An hour of the plan in a second. */
const timeScale = 3_600;
const steps = 3;
const forSeconds = 10;
const dueAfterMs = Array.from({ length: steps }, (_, i) => ((firstDueHours + i * spacingHours) * 3_600_000) / timeScale);

/** How late after its due time the provider is called, at light load and under load, beside the lateness of a bare timer's activity. */
export async function measureDueToCall(stack: BenchStack, cartsPerSecond: { light: number; loaded: number }): Promise<Measured> {
  let late: number[] = [];
  const bench = await openRecovery(stack, { telemetry: { ...noTelemetry, dueToCall: (ms) => void late.push(ms) } });
  let floorLate: number[] = [];
  const floor = await openFloor(stack, { late: async (dueMs: number) => void floorLate.push(Math.max(0, Date.now() - dueMs)) });
  const tenant = await bench.tenant('bench-due', timeScale, steps);
  await runFloor(bench, 20, 10);
  await runProduct(bench, tenant, 20, 10);
  const latencies: Latency[] = [];
  for (const [load, perSecond] of Object.entries(cartsPerSecond)) {
    [late, floorLate] = [[], []];
    await runFloor(bench, perSecond * forSeconds, perSecond);
    await runProduct(bench, tenant, perSecond * forSeconds, perSecond);
    latencies.push({ name: `due_to_call_${load}`, valuesMs: late, floorMs: floorLate });
  }
  await floor.close();
  await bench.close();
  return {
    figures: [],
    latencies,
    notes: [
      `due_to_call: ${cartsPerSecond.light} and ${cartsPerSecond.loaded} new carts a second for ${forSeconds} s, ${steps} emails each; the clocks have 1 ms`,
    ],
  };
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
