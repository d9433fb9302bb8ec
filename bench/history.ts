import { randomUUID } from 'node:crypto';
import { budgeted, type Measured, untilCount } from './measure.ts';
import { type BenchTenant, openRecovery, type RecoveryBench, workflowIdsOf } from './recovery.ts';
import { accept, cartUpdated, orderPlaced, sign } from './shop.ts';
import type { BenchStack } from './stack.ts';

const stepCount = 5;
/** Emails eight seconds apart: none is so late that the gap between two emails, six seconds here, puts the next one off. */
const timeScale = 1_800;

export interface HistoryCost {
  events: number;
  workflowTasks: number;
  activities: number;
  bytes: number;
}

/** The size of real runs in Temporal's history. Budgets: docs/performance.md. */
export async function measureHistory(stack: BenchStack, runs: number): Promise<Measured> {
  const bench = await openRecovery(stack);
  const fast = await bench.tenant('bench-history', timeScale);
  const sleeping = await bench.tenant('bench-asleep', 1);
  const [completed, deferred, stopped] = await Promise.all([
    run(bench, fast, runs, async () => {}),
    // Before the first email is due, a change of the cart moves the anchor: its dispatch answers "later", once.
    run(bench, fast, runs, (cart) => accept(bench.deps, sign(fast, cartUpdated(cart, Date.now(), '139.90')))),
    run(bench, sleeping, runs, async (cart) => {
      const [id = ''] = await workflowIdsOf(bench.deps, sleeping, [cart]);
      await asleep([bench.client.workflow.getHandle(id)]);
      await accept(bench.deps, sign(sleeping, orderPlaced(cart)));
    }),
  ]);
  await bench.close();
  const budget = 11 * stepCount + 6;
  const row = (name: string, cost: HistoryCost) => [name, cost.events, cost.workflowTasks, cost.activities, cost.bytes];
  return {
    figures: [
      budgeted('history_events', completed.events, 'events', `<= ${budget}: 11 a step + 6, ${stepCount} steps`, (n) => n <= budget),
      budgeted('history_events_of_a_deferral', deferred.events - completed.events, 'events', '<= 11', (n) => n <= 11),
    ],
    tables: [
      {
        title: `Temporal, per enrollment (the least of ${runs})`,
        columns: ['Run', 'Events', 'Workflow tasks', 'Activities', 'History bytes'],
        rows: [
          row(`completed, ${stepCount} emails`, completed),
          row('the same with one deferral', deferred),
          row('bought while it slept towards the first email', stopped),
        ],
      },
    ],
  };
}

/** Begin carts, a second later let happen what each case needs, and read the histories when all have ended. */
async function run({ deps, client }: RecoveryBench, tenant: BenchTenant, count: number, then: (cart: string) => Promise<void>): Promise<HistoryCost> {
  const carts = Array.from({ length: count }, () => randomUUID());
  for (const cart of carts) await accept(deps, sign(tenant, cartUpdated(cart)));
  // Half an hour of the plan: what moves the anchor by less than a dispatch takes would come due at once.
  await new Promise((done) => setTimeout(done, 1_000));
  for (const cart of carts) await then(cart);
  const costs: HistoryCost[] = [];
  for (const id of await workflowIdsOf(deps, tenant, carts)) {
    const handle = client.workflow.getHandle(id);
    const exists = () =>
      handle.describe().then(
        () => 1,
        () => 0,
      );
    await untilCount({ what: 'workflow started', target: 1, count: exists });
    await handle.result();
    costs.push(await costOf(handle));
  }
  // The minimum: on a busy machine an email may be late enough to put the next one off, which adds a deferral.
  const of = (key: keyof HistoryCost) => Math.min(...costs.map((cost) => cost[key]));
  return { events: of('events'), workflowTasks: of('workflowTasks'), activities: of('activities'), bytes: of('bytes') };
}

/** Wait until each of these workflows is started, its first workflow task done and its timer set: five events. */
export async function asleep(handles: readonly Pick<Handle, 'describe'>[]): Promise<void> {
  const awake = new Set(handles);
  await untilCount({
    what: 'workflows asleep',
    target: handles.length,
    async count() {
      for (const handle of awake) {
        const { historyLength } = (await handle.describe().catch(() => null)) ?? { historyLength: 0 };
        if (historyLength < 5) break;
        awake.delete(handle);
      }
      return handles.length - awake.size;
    },
  });
}

interface Handle {
  describe(): Promise<{ historyLength: number; historySize?: number }>;
  fetchHistory(): Promise<{ events?: { workflowTaskCompletedEventAttributes?: unknown; activityTaskScheduledEventAttributes?: unknown }[] | null }>;
}

/** What one run's history holds now. */
export async function costOf(handle: Handle): Promise<HistoryCost> {
  const [{ historyLength, historySize }, history] = [await handle.describe(), await handle.fetchHistory()];
  const events = history.events ?? [];
  return {
    events: historyLength,
    workflowTasks: events.filter((e) => e.workflowTaskCompletedEventAttributes != null).length,
    activities: events.filter((e) => e.activityTaskScheduledEventAttributes != null).length,
    bytes: historySize ?? 0,
  };
}
