import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { freePort } from '../../local/ports.ts';
import { flood, known, type Measured, median, untilCount } from '../measure.ts';
import type { BenchTenant } from '../recovery.ts';
import { cartUpdated, sign } from '../shop.ts';
import { type Balancer, createBalancer } from './balancer.ts';
import type { Topology } from './topology.ts';

const atOnce = 16;

/**
 * New carts accepted by two APIs, and how fast their workflows are started, each beside its floor on the same machine: two bare Fastify
 * processes with one insert each, and bare starts. Relays and workers are at work on them meanwhile, as in production.
 */
export async function measureWebhooks(
  topology: Topology,
  client: Client,
  tenant: BenchTenant,
  { rounds, perRound }: { rounds: number; perRound: number },
): Promise<Measured> {
  const ports = [await freePort(), await freePort()];
  const floors = ports.map((port, index) =>
    topology.script(`floor-api-${index + 1}`, 'bench/floor-webhook.ts', { DATABASE_URL: topology.ownerUrl, PORT: String(port) }),
  );
  // In turn: each makes the same table.
  for (const floor of floors) await floor.start();
  const bare = createBalancer(ports, null);
  const post = async (balancer: Balancer, path: string) => {
    const status = await balancer.post({ ...sign(tenant, cartUpdated(randomUUID())), path });
    if (status !== 200) throw new Error(`answered ${status}`);
  };
  const postBare = () => post(bare, '/');
  const postProduct = () => post(topology.balancer, tenant.webhooks.generic.path);
  const start = async () => void (await client.workflow.start('untilClosed', { taskQueue: 'floor', workflowId: randomUUID() }));

  await flood(200, atOnce, postBare);
  await flood(200, atOnce, postProduct);
  const accepted: { product: number[]; floor: number[] } = { product: [], floor: [] };
  const started: { product: number[]; floor: number[] } = { product: [], floor: [] };
  const latencies: { product: number[]; floor: number[] } = { product: [], floor: [] };
  for (let round = 0; round < rounds; round++) {
    await topology.quiet();
    const floorRun = await flood(perRound, atOnce, postBare);
    accepted.floor.push(perRound / floorRun.seconds);
    latencies.floor.push(...floorRun.latenciesMs);
    started.floor.push(perRound / (await flood(perRound, atOnce, start)).seconds);
    await topology.quiet();
    const fromMs = performance.now();
    const run = await flood(perRound, atOnce, postProduct);
    accepted.product.push(perRound / run.seconds);
    latencies.product.push(...run.latenciesMs);
    const { waiting } = await topology.deps.db.outboxBacklog();
    await untilCount({
      what: 'rows of the outbox sent',
      target: waiting,
      count: async () => waiting - (await topology.deps.db.outboxBacklog()).waiting,
    });
    started.product.push((perRound * 1_000) / (performance.now() - fromMs));
  }
  bare.close();
  for (const floor of floors) await floor.stop();
  return {
    // No budgets: those are about the acceptance alone, and here Temporal and workers share the cores with it.
    figures: [
      known('production_webhook_accepted', median(accepted.product), '1/s', median(accepted.floor)),
      known('production_starts', median(started.product), '1/s', median(started.floor)),
    ],
    latencies: [{ name: 'production_webhook', valuesMs: latencies.product, floorMs: latencies.floor }],
    notes: [`${atOnce} webhooks at once through a balancer to two APIs; starts: from the first webhook until every workflow is started`],
  };
}
