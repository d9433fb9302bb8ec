import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createActivities } from '../activities/index.ts';
import type { WorkflowEngine } from '../operations/deps.ts';
import { publishPreset } from '../operations/publish-sequence.ts';
import { relayOutbox } from '../operations/relay-outbox.ts';
import { noTelemetry } from '../operations/telemetry.ts';
import { createWorkflowEngine } from '../temporal/engine.ts';
import type { RecoveryInput } from '../workflows/contract.ts';
import { mailsInARow, nullSender } from './five-mails.ts';
import { costOf, type HistoryCost } from './history.ts';
import { flood, type Latency, type Measured, median } from './measure.ts';
import { openFloor } from './recovery.ts';
import { accept, cartUpdated, openDeps, openTenant, sign } from './shop.ts';
import type { BenchStack } from './stack.ts';

const stepCount = 5;
const atOnce = 50;
const ways = ['regular', 'local'] as const;
type Way = (typeof ways)[number];
interface Seen {
  rates: number[];
  cost: HistoryCost | null;
  lateMs: number[];
}

/** A dispatch as a regular and as a local activity: bare, and with the product's own dispatch. For docs/adr/0011. */
export async function measureActivities(stack: BenchStack, rounds: number, perRound: number): Promise<Measured> {
  keepQuiet();
  const connection = await Connection.connect({ address: stack.temporalAddress });
  const client = new Client({ connection });
  const floor = await openFloor(stack);
  const product = await openProduct(stack, client);
  const seen = new Map<string, Seen>();
  const of = (what: string, way: Way) => {
    const found = seen.get(`${what}, ${way}`) ?? { rates: [], cost: null, lateMs: [] };
    seen.set(`${what}, ${way}`, found);
    return found;
  };
  for (let round = 0; round <= rounds; round++) {
    for (const way of ways) {
      const bare = await runBare(client, way, perRound);
      const whole = await product.run(way, perRound);
      // The first round warms up.
      if (round === 0) continue;
      of('bare', way).rates.push(bare.rate);
      of('bare', way).cost = bare.cost;
      of('dispatch', way).rates.push(whole.rate);
      of('dispatch', way).cost = whole.cost;
      of('dispatch', way).lateMs.push(...whole.lateMs);
    }
  }
  await product.close();
  await floor.close();
  await connection.close();
  const latencies: Latency[] = ways.map((way) => ({ name: `due_to_call_${way}`, valuesMs: of('dispatch', way).lateMs, floorMs: null }));
  return {
    figures: [],
    latencies,
    tables: [
      {
        title: `A step's activity: ${perRound} runs of ${stepCount} steps, ${atOnce} at once`,
        columns: ['Activity', 'Steps/s', 'Events per run', 'Workflow tasks', 'Activity tasks', 'History bytes'],
        rows: [...seen].map(([name, { rates, cost }]) => [
          name,
          median(rates),
          ...(cost === null ? [] : [cost.events, cost.workflowTasks, cost.activities, cost.bytes]),
        ]),
      },
    ],
    notes: ['due_to_call here: all carts begin at once, so it is the queue that is seen; `--only due` shows the same at a given load'],
  };
}

/** Starts and ends of workers are not logged. */
function keepQuiet(): void {
  try {
    Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR' } } });
  } catch {
    // A section before this one may have set it up, as quietly.
  }
}

async function runBare(client: Client, way: Way, count: number) {
  const ids = Array.from({ length: count }, () => randomUUID());
  const { seconds } = await flood(count, atOnce, async (i) => {
    await client.workflow.execute(way === 'local' ? 'localSteps' : 'steps', { taskQueue: 'floor', workflowId: ids[i] ?? '', args: [stepCount] });
  });
  return { rate: (count * stepCount) / seconds, cost: await costOf(client.workflow.getHandle(ids[0] ?? '')) };
}

/** The product's dispatch behind bench-only workflows; the relay starts one or the other instead of `recovery`. */
async function openProduct(stack: BenchStack, client: Client) {
  let lateMs: number[] = [];
  const deps = openDeps(stack.databaseUrl, stack.masterKey, {
    defaultSenders: [nullSender],
    telemetry: { ...noTelemetry, dueToCall: (ms) => void lateMs.push(ms) },
  });
  const taskQueue = 'variants';
  const known = createWorkflowEngine(client, taskQueue);
  const connection = await NativeConnection.connect({ address: stack.temporalAddress });
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('./dispatch-workflows.ts', import.meta.url)),
    activities: createActivities({ ...deps, engine: known }),
    maxCachedWorkflows: 300,
    maxConcurrentActivityTaskExecutions: 40,
    maxConcurrentLocalActivityExecutions: 40,
  });
  const done = worker.run();
  const tenant = await openTenant(deps, 'bench-variants', 360_000);
  await publishPreset(deps, tenant.tenantId, await mailsInARow(stepCount));

  return {
    async run(way: Way, count: number) {
      lateMs = [];
      const started: string[] = [];
      const engine: WorkflowEngine = {
        ...known,
        async start({ tenantId, enrollmentId, plan, progress }) {
          const args: [RecoveryInput] = [{ tenantId, enrollmentId, plan, progress }];
          const { workflowId } = await client.workflow.start(way === 'local' ? 'localDispatch' : 'regularDispatch', {
            taskQueue,
            workflowId: enrollmentId,
            args,
          });
          started.push(workflowId);
        },
      };
      const fromMs = performance.now();
      await flood(count, atOnce, () => accept(deps, sign(tenant, cartUpdated(randomUUID()))));
      while ((await relayOutbox({ ...deps, engine })).taken > 0);
      await Promise.all(started.map((id) => client.workflow.getHandle(id).result()));
      const rate = (count * stepCount * 1_000) / (performance.now() - fromMs);
      return { rate, cost: await costOf(client.workflow.getHandle(started[0] ?? '')), lateMs };
    },
    async close() {
      worker.shutdown();
      await done;
      await connection.close();
      await deps.db.close();
    },
  };
}
