import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { besideFloor, flood, known, type Measured, median, type Table } from '../measure.ts';
import { type BenchTenant, runThrough } from '../recovery.ts';
import { cartUpdated, sign } from '../shop.ts';
import { deliver } from './deliver.ts';
import type { Topology } from './topology.ts';

/** Of the sequence that is timed. */
export const mailsPerCart = 5;
/** Between their webhook and their end, as many as bare workflows: more would be measured against another load on Temporal. */
const atOnce = 50;

export interface Rounds {
  rounds: number;
  cartsPerRound: number;
}

/** Steps through the whole dispatch with a provider that takes everything at once, beside bare timers and empty activities. */
export async function measureSteps(topology: Topology, client: Client, tenant: BenchTenant, { rounds, cartsPerRound }: Rounds): Promise<Measured> {
  const floor: Run[] = [];
  const product: Run[] = [];
  await floorSteps(client, 20);
  await productSteps(topology, tenant, 20);
  for (let round = 0; round < rounds; round++) {
    await topology.quiet();
    floor.push(await timed(topology, cartsPerRound, () => floorSteps(client, cartsPerRound)));
    await topology.quiet();
    product.push(await timed(topology, cartsPerRound, () => productSteps(topology, tenant, cartsPerRound)));
  }
  const rate = (runs: Run[]) => median(runs.map((run) => run.perSecond));
  return {
    figures: [besideFloor('production_steps', rate(product), 'steps/s', rate(floor), '>= 80 % of the floor', (ratio) => ratio >= 0.8)],
    tables: costTable('CPU a step, in ms of one core', { 'a step': product, 'a bare step': floor }),
    notes: [`${cartsPerRound} carts of ${mailsPerCart} emails a round, ${atOnce} at once, from their webhook to their end, two worker processes`],
  };
}

/** The same by worker/main.ts over SMTP: rendered, a session each, taken by a server that records it. */
export async function measureMails(topology: Topology, tenant: BenchTenant, { rounds, cartsPerRound }: Rounds): Promise<Measured> {
  const runs: Run[] = [];
  await productSteps(topology, tenant, 20);
  for (let round = 0; round < rounds; round++) {
    await topology.quiet();
    const before = topology.smtp.accepted.length;
    runs.push(await timed(topology, cartsPerRound, () => productSteps(topology, tenant, cartsPerRound)));
    const taken = topology.smtp.accepted.length - before;
    if (taken !== cartsPerRound * mailsPerCart) throw new Error(`${taken} emails were taken instead of ${cartsPerRound * mailsPerCart}`);
  }
  return {
    figures: [known('production_mails', median(runs.map((run) => run.perSecond)), 'emails/s')],
    tables: costTable('CPU an email over SMTP, in ms of one core', { 'an email': runs }),
  };
}

async function floorSteps(client: Client, count: number): Promise<void> {
  await flood(count, atOnce, async () => {
    await client.workflow.execute('steps', { taskQueue: 'floor', workflowId: randomUUID(), args: [mailsPerCart] });
  });
}

async function productSteps({ deps, balancer }: Topology, tenant: BenchTenant, count: number): Promise<void> {
  await runThrough(deps, tenant.tenantId, count, atOnce, () => deliver(balancer, sign(tenant, cartUpdated(randomUUID()))));
}

interface Run {
  perSecond: number;
  /** By kind of process: milliseconds of one core for each step; for sizing. Empty where the system does not report it. */
  cpuMsPerStep: Map<string, number>;
}

async function timed({ costs }: Topology, carts: number, work: () => Promise<void>): Promise<Run> {
  const steps = carts * mailsPerCart;
  const [before, fromMs] = [costs(), performance.now()];
  await work();
  const [after, untilMs] = [costs(), performance.now()];
  return {
    perSecond: (steps * 1_000) / (untilMs - fromMs),
    cpuMsPerStep: new Map([...after].map(([kind, { cpuMs }]) => [kind, (cpuMs - (before.get(kind)?.cpuMs ?? 0)) / steps])),
  };
}

function costTable(title: string, runsOf: Record<string, Run[]>): Table[] {
  const kinds = [...new Set(Object.values(runsOf).flatMap((runs) => runs.flatMap((run) => [...run.cpuMsPerStep.keys()])))];
  if (kinds.length === 0) return [];
  const rows = kinds.map((kind) => [kind, ...Object.values(runsOf).map((runs) => median(runs.map((run) => run.cpuMsPerStep.get(kind) ?? 0)))]);
  return [{ title, columns: ['Processes', ...Object.keys(runsOf)], rows: rows.filter(([, ...ms]) => ms.some((value) => Number(value) >= 0.05)) }];
}
