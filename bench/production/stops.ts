import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { asleep } from '../history.ts';
import { besideFloor, flood, type Measured, spreadOf } from '../measure.ts';
import { type BenchTenant, workflowIdsOf } from '../recovery.ts';
import { cartUpdated, orderPlaced, sign } from '../shop.ts';
import { deliver } from './deliver.ts';
import type { Topology } from './topology.ts';

/** From the purchase's first byte at an API to the closed workflow, beside a bare signal to close. */
export async function measureStops(
  topology: Topology,
  client: Client,
  tenant: BenchTenant,
  { rounds, perRound }: { rounds: number; perRound: number },
): Promise<Measured> {
  const floor: number[] = [];
  const product: number[] = [];
  for (let round = 0; round < rounds; round++) {
    floor.push(...(await floorStops(topology, client, perRound)));
    product.push(...(await productStops(topology, client, tenant, perRound)));
  }
  const [p, f] = [spreadOf(product), spreadOf(floor)];
  return {
    figures: [besideFloor('production_purchase_to_closed_p99', p.p99, 'ms', f.p99, '<= 3 x the floor', (ratio) => ratio <= 3)],
    latencies: [{ name: 'production_purchase_to_closed', valuesMs: product, floorMs: floor }],
  };
}

const atOnce = 2;

async function productStops({ balancer, deps, quiet }: Topology, client: Client, tenant: BenchTenant, count: number): Promise<number[]> {
  const carts = Array.from({ length: count }, () => randomUUID());
  for (const cart of carts) await deliver(balancer, sign(tenant, cartUpdated(cart)));
  const handles = (await workflowIdsOf(deps, tenant, carts)).map((id) => client.workflow.getHandle(id));
  await asleep(handles);
  await quiet();
  const { latenciesMs } = await flood(count, atOnce, async (i) => {
    await deliver(balancer, sign(tenant, orderPlaced(carts[i] ?? '')));
    await handles[i]?.result();
  });
  return latenciesMs;
}

async function floorStops({ quiet }: Topology, client: Client, count: number): Promise<number[]> {
  const handles = await Promise.all(
    Array.from({ length: count }, () => client.workflow.start('untilClosed', { taskQueue: 'floor', workflowId: randomUUID() })),
  );
  await asleep(handles);
  await quiet();
  const { latenciesMs } = await flood(count, atOnce, async (i) => {
    await handles[i]?.signal('close');
    await handles[i]?.result();
  });
  return latenciesMs;
}
