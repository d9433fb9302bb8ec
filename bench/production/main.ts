// `npm run bench:production`: the topology of production without containers. See docs/production.md.
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { StartError } from '../../local/start-error.ts';
import { mailsInARow } from '../five-mails.ts';
import { known, type Measured } from '../measure.ts';
import { type Parts, parts } from '../parts.ts';
import { figuresOf, machine, printMarkdown, printText } from '../print.ts';
import { measureFaults } from './faults.ts';
import { mailsPerCart, measureMails, measureSteps } from './steps.ts';
import { measureStops } from './stops.ts';
import { cartPreset, tenantWith } from './tenant.ts';
import { openTopology, type Topology } from './topology.ts';
import { measureWebhooks } from './webhooks.ts';

const sections = ['webhooks', 'stops', 'mails', 'steps', 'faults'] as const;
const usage = `npm run bench:production -- [options]

The official Temporal server on Postgres, two APIs, two workers. The first run builds the server with Go, which takes minutes.

--only a,b              of ${sections.join(', ')}; default: all of them
--rounds N              of each figure, the median counts; default 3
--shards N              history shards; default 16
--split                 Temporal's four services as processes of their own, with two history nodes; one of history, matching and frontend each is killed
--built                 what \`npm run build\` made, by plain Node, as production runs it (memory)
--seconds N             how long carts flow while processes are killed; default 90, and 72 more until the last cart is through
--carts-per-second N    meanwhile; default 4
--json, --markdown      for programs, for documents

Ends with 1 when a guarantee was violated or a section failed; the figures of the others are printed all the same.`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: sections.join(',') },
    rounds: { type: 'string', default: '3' },
    shards: { type: 'string', default: '16' },
    seconds: { type: 'string', default: '90' },
    'carts-per-second': { type: 'string', default: '4' },
    split: { type: 'boolean', default: false },
    built: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    markdown: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}
const chosen = values.only.split(',');
const unknown = chosen.find((name) => !sections.some((section) => section === name));
if (unknown !== undefined) fail(`--only ${unknown}: there is no such section`);

function positive(name: 'rounds' | 'shards' | 'seconds' | 'carts-per-second'): number {
  const number = Number(values[name]);
  return number > 0 ? number : fail(`--${name} ${values[name]}: expected a positive number`);
}

function fail(reason: string): never {
  console.error(`${reason}\n\n${usage}`);
  process.exit(2);
}

const [rounds, shards] = [positive('rounds'), positive('shards')];
const load = { seconds: positive('seconds'), cartsPerSecond: positive('carts-per-second') };
const startMs = performance.now();
const log = (line: string) => console.error(`${((performance.now() - startMs) / 1_000).toFixed(1).padStart(6)} s  ${line}`);

/** Memory of the processes, by kind: two of each of ours. */
function memoryOf(topology: Topology): Measured {
  const memory = topology.costs();
  const mib = (kind: string, processes: number) => (memory.get(kind)?.rssMiB ?? 0) / processes;
  return {
    figures: [
      known('production_worker_memory', mib('worker', topology.workers.length), 'MiB'),
      known('production_api_memory', mib('api', topology.apis.length), 'MiB'),
      known('production_temporal_memory', mib('temporal', 1), 'MiB'),
    ],
  };
}

async function measure(topology: Topology, client: Client, run: Parts, report: (name: string, measured: Measured) => void): Promise<string[]> {
  const { deps } = topology;
  const floors = [1, 2].map((number) => topology.script(`floor-worker-${number}`, 'bench/production/floor-worker.ts', {}));
  await Promise.all(floors.map((part) => part.start()));
  const sleeping = await tenantWith(deps, 'bench-sleeping', 1, await cartPreset());
  const fiveMails = await mailsInARow(mailsPerCart);
  const fast = (slug: string) => tenantWith(deps, slug, 360_000, fiveMails);
  const part = async (name: (typeof sections)[number], work: () => Promise<Measured>) => {
    if (!chosen.includes(name)) return;
    log(`${name} …`);
    const measured = await run.run(name, work);
    if (measured !== null) report(name, measured);
  };
  await part('webhooks', () => measureWebhooks(topology, client, sleeping, { rounds, perRound: 500 }));
  await part('stops', () => measureStops(topology, client, sleeping, { rounds, perRound: 50 }));
  await part('mails', async () => measureMails(topology, await fast('bench-mails'), { rounds, cartsPerRound: 50 }));
  await part('steps', async () => {
    // The same queue: these two would take half of the work.
    await Promise.all(topology.workers.map((worker) => worker.stop()));
    const takers = [1, 2].map((number) => topology.script(`null-worker-${number}`, 'bench/production/null-worker.ts', {}));
    await Promise.all(takers.map((taker) => taker.start()));
    try {
      return await measureSteps(topology, client, await fast('bench-steps'), { rounds, cartsPerRound: 100 });
    } finally {
      await Promise.all(takers.map((taker) => taker.stop()));
      await Promise.all(topology.workers.map((worker) => worker.start()));
    }
  });
  await Promise.all(floors.map((floor) => floor.stop()));
  report('memory', memoryOf(topology));
  const violations: string[] = [];
  await part('faults', async () => {
    const { violations: found, ...measured } = await measureFaults(topology, client, { ...load, log });
    violations.push(...found);
    return measured;
  });
  return violations;
}

async function main(): Promise<number> {
  const topology = await openTopology({ shards, split: values.split, built: values.built, log });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void topology.close().then(() => process.exit(130)));
  const connection = await Connection.connect({ address: topology.temporal.address });
  const all: Measured[] = [];
  const run = parts(log);
  try {
    if (!values.json) {
      const nodes = topology.temporal.nodes.map((part) => part.name).join(', ');
      console.log(`${machine()}\nTemporal ${nodes} on Postgres, ${shards} history shards; two APIs, two workers\n`);
    }
    const violations = await measure(topology, new Client({ connection, namespace: topology.temporal.namespace }), run, (name, measured) => {
      all.push(measured);
      if (values.markdown) printMarkdown(name, measured);
      else if (!values.json) printText(name, measured);
    });
    if (values.json) process.stdout.write(`${JSON.stringify(figuresOf(all))}\n`);
    for (const violation of violations.slice(0, 50)) console.error(`VIOLATED  ${violation}`);
    return Math.max(run.end(), violations.length > 0 ? 1 : 0);
  } finally {
    await connection.close();
    log('closing …');
    await topology.close();
  }
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof StartError ? error.message : error);
    process.exit(1);
  },
);
