import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { asleep } from './history.ts';
import { besideFloor, flood, known, type Measured, median, spreadOf } from './measure.ts';
import { type BenchTenant, openFloor, openRecovery, type RecoveryBench, runThrough, workflowIdsOf } from './recovery.ts';
import { accept, cartUpdated, orderPlaced, sign } from './shop.ts';
import type { BenchStack } from './stack.ts';

const stepCount = 5;
const atOnce = 50;

/** Steps per second through the whole dispatch, and how fast a purchase closes its workflow, each beside a bare workflow's. */
export async function measureWorkflows(stack: BenchStack, rounds: number, enrollmentsPerRound: number): Promise<Measured> {
  const bench = await openRecovery(stack);
  const floor = await openFloor(stack);
  const { client } = bench;
  const fast = await bench.tenant('bench-fast', 360_000);
  const sleeping = await bench.tenant('bench-sleeping', 1);
  const rates: { product: number[]; floor: number[] } = { product: [], floor: [] };
  const cpuMs: { product: number[]; floor: number[] } = { product: [], floor: [] };
  const stops: { product: number[]; floor: number[] } = { product: [], floor: [] };
  await floorSteps(client, 20);
  await productSteps(bench, fast, 20);
  for (let round = 0; round < rounds; round++) {
    const floorRun = await withCpu(() => floorSteps(client, enrollmentsPerRound));
    rates.floor.push(floorRun.result);
    cpuMs.floor.push(floorRun.cpuMs / (enrollmentsPerRound * stepCount));
    const productRun = await withCpu(() => productSteps(bench, fast, enrollmentsPerRound));
    rates.product.push(productRun.result);
    cpuMs.product.push(productRun.cpuMs / (enrollmentsPerRound * stepCount));
    stops.floor.push(...(await floorStops(client, 100)));
    stops.product.push(...(await productStops(bench, sleeping, 100)));
  }
  await floor.close();
  await bench.close();
  const [p, f] = [spreadOf(stops.product), spreadOf(stops.floor)];
  return {
    figures: [
      besideFloor('steps', median(rates.product), 'steps/s', median(rates.floor), '>= 80 % of the floor', (ratio) => ratio >= 0.8),
      known('worker_cpu_per_step', median(cpuMs.product), 'ms', median(cpuMs.floor)),
      besideFloor('purchase_to_closed_p99', p.p99, 'ms', f.p99, '<= 3 x the floor', (ratio) => ratio <= 3),
    ],
    latencies: [{ name: 'purchase_to_closed', valuesMs: stops.product, floorMs: stops.floor }],
    notes: [
      `steps: ${enrollmentsPerRound} enrollments of ${stepCount} emails, ${atOnce} at once, from their webhook to their end; purchases: 2 at once`,
    ],
  };
}

async function floorSteps(client: Client, count: number): Promise<number> {
  const { seconds } = await flood(count, atOnce, async () => {
    await client.workflow.execute('steps', { taskQueue: 'floor', workflowId: randomUUID(), args: [stepCount] });
  });
  return (count * stepCount) / seconds;
}

async function productSteps({ deps }: RecoveryBench, tenant: BenchTenant, count: number): Promise<number> {
  const fromMs = performance.now();
  await runThrough(deps, tenant.tenantId, count, atOnce, () => accept(deps, sign(tenant, cartUpdated(randomUUID()))));
  return (count * stepCount * 1_000) / (performance.now() - fromMs);
}

async function productStops({ deps, client }: RecoveryBench, tenant: BenchTenant, count: number): Promise<number[]> {
  const carts = Array.from({ length: count }, () => randomUUID());
  for (const cart of carts) await accept(deps, sign(tenant, cartUpdated(cart)));
  const handles = (await workflowIdsOf(deps, tenant, carts)).map((id) => client.workflow.getHandle(id));
  await asleep(handles);
  const { latenciesMs } = await flood(count, 2, async (i) => {
    await accept(deps, sign(tenant, orderPlaced(carts[i] ?? '')));
    await handles[i]?.result();
  });
  return latenciesMs;
}

async function floorStops(client: Client, count: number): Promise<number[]> {
  const handles = await Promise.all(
    Array.from({ length: count }, () => client.workflow.start('untilClosed', { taskQueue: 'floor', workflowId: randomUUID() })),
  );
  await asleep(handles);
  const { latenciesMs } = await flood(count, 2, async (i) => {
    await handles[i]?.signal('close');
    await handles[i]?.result();
  });
  return latenciesMs;
}

/** Processor time of this process, worker and client together, while `work` ran. */
async function withCpu<T>(work: () => Promise<T>): Promise<{ result: T; cpuMs: number }> {
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return { result, cpuMs: (user + system) / 1_000 };
}
