import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { freePort } from '../../local/ports.ts';
import type { BuiltDeps } from '../../operations/create-deps.ts';
import { loadPresets, publishPresets } from '../../operations/publish-presets.ts';
import { readAnalytics } from '../../operations/read/analytics.ts';
import { reconcile } from '../../operations/reconcile.ts';
import { relayOutbox } from '../../operations/relay-outbox.ts';
import { lazyClient } from '../../temporal/connect.ts';
import { createWorkflowEngine } from '../../temporal/engine.ts';
import { nullSender } from '../five-mails.ts';
import { type HotAction, type HotShop, hotActions } from '../hot-actions.ts';
import { budgeted, type Figure, flood, known, type Measured, median, quantile, type Table } from '../measure.ts';
import { cartUpdated, openDeps, openTenant, post, sign } from '../shop.ts';
import type { BenchOptions } from '../options.ts';
import { asOwner, type BenchStack, endChild } from '../stack.ts';
import { fillAsleep, fillBacklog, fillHistory, type Place, placeOf } from './fill.ts';
import { largeTables, offence, recordPlans } from './plans.ts';

const timesEach = 15;
/** How many rows one statement of a hot path may read, however large the tables are. A page of a list reads a few rows of each of its items. */
const mostRows = 500;

interface Size {
  name: string;
  webhooksPerSecond: number;
  /** Milliseconds of each action, by its name. */
  actionsMs: Map<string, number[]>;
}

/** The same figures while the tables grow; and what the hot paths read in them. */
export async function measureGrowth(stack: BenchStack, options: BenchOptions): Promise<Measured> {
  const deps = openDeps(stack.databaseUrl, stack.masterKey, { defaultSenders: [nullSender] });
  const slug = 'bench-growth';
  const shop: HotShop = { deps, tenant: { ...(await openTenant(deps, slug)), slug } };
  await publishPresets(deps, await loadPresets());
  return asOwner(stack.databaseUrl, async (owner) => {
    const place = await placeOf(owner, shop.tenant);
    const sizes: Size[] = [];
    const measure = async (name: string) => {
      const size = await options.part(`growth, ${name}`, () => measureAt(name, stack, shop));
      if (size !== null) sizes.push(size);
    };
    await measure('empty');
    await fillHistory(owner, place, options, options.say);
    let there = 0;
    for (const count of options.asleep.toSorted((a, b) => a - b)) {
      await fillAsleep(owner, place, { from: there, to: count });
      there = count;
      options.say(`growth: ${count} asleep; measuring`);
      await measure(`${count} asleep`);
    }
    const inTemporal = await options.part('growth, in Temporal', () => startWorkflows(stack, deps, place, options.workflows));
    if (inTemporal !== null && inTemporal > 0) await measure(`and ${inTemporal} in Temporal`);
    const dashboard = await options.part('growth, dashboard', () => measureDashboard(deps, shop.tenant.tenantId));
    const pass = await options.part('growth, reconciler', () => measureReconcile(deps));
    const recount = await options.part('growth, recount', () => measureRecount(owner));
    await deps.db.close();
    options.say('growth: explaining the plans');
    const plans = await options.part('growth, plans', async () => {
      await fillBacklog(owner, place, 5_000);
      return lookAtPlans(stack, shop, owner);
    });
    const { rows } = await owner.query<{ size: string }>('select pg_size_pretty(pg_database_size(current_database())) as size');
    const seconds = (ms: number) => (ms / 1_000).toFixed(1);
    return {
      figures: [...slowdowns(sizes), ...(dashboard?.figures ?? []), ...(plans === null ? [] : [plans.figure])],
      tables: [
        ...(sizes.length === 0 ? [] : [growthTable(sizes)]),
        ...(dashboard === null ? [] : [dashboard.table]),
        ...(plans === null ? [] : [plans.table]),
      ],
      notes: [
        `${options.contacts} contacts and ${options.events} events of messages of one tenant beside them: ${rows[0]?.size ?? ''} of tables and indexes`,
        ...(pass === null ? [] : [`one pass of the reconciler over all open enrollments: ${seconds(pass)} s (linear by design, once a minute)`]),
        ...(recount === null
          ? []
          : [
              `counting the figures of all ${recount.enrollments} enrollments anew, as the upgrade to sums does while writers wait: ${seconds(recount.ms)} s`,
            ]),
      ],
    };
  });
}

/** Webhooks per second over HTTP, with Temporal apart, and each hot path one by one in this process. */
async function measureAt(name: string, stack: BenchStack, shop: HotShop): Promise<Size> {
  const port = await freePort();
  const api = await stack.spawn('api/server.ts', {
    DATABASE_URL: stack.databaseUrl,
    TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}`,
    REKINDLE_MASTER_KEY: stack.masterKey.toString('base64'),
    PORT: String(port),
    LOG_LEVEL: 'fatal',
  });
  const newCart = async () => void (await post(port, sign(shop.tenant, cartUpdated(randomUUID()))));
  await flood(100, 16, newCart);
  const count = 400;
  const { seconds } = await flood(count, 16, newCart);
  await endChild(api);
  const actionsMs = new Map<string, number[]>();
  for (const action of hotActions(shop)) actionsMs.set(action.name, await time(action));
  return { name, webhooksPerSecond: count / seconds, actionsMs };
}

async function time(action: HotAction): Promise<number[]> {
  const ms: number[] = [];
  for (let i = 0; i <= timesEach; i++) {
    const act = await action.prepare();
    const fromMs = performance.now();
    await act();
    if (i > 0) ms.push(performance.now() - fromMs);
  }
  return ms;
}

function growthTable(sizes: readonly Size[]): Table {
  const names = [...(sizes[0]?.actionsMs.keys() ?? [])];
  return {
    title: `Milliseconds one by one, medians of ${timesEach} (in brackets: the slowest)`,
    columns: ['Action', ...sizes.map((s) => s.name)],
    rows: [
      ['webhooks accepted per second, 16 at once', ...sizes.map((s) => s.webhooksPerSecond)],
      ...names.map((name) => [
        name,
        ...sizes.map(({ actionsMs }) => {
          const ms = actionsMs.get(name) ?? [0];
          return `${median(ms).toFixed(1)} (${Math.max(...ms).toFixed(1)})`;
        }),
      ]),
    ],
  };
}

/** The largest size beside the empty tables. */
function slowdowns(sizes: readonly Size[]): Figure[] {
  const [empty, largest] = [sizes[0], sizes.at(-1)];
  if (empty === undefined || largest === undefined) return [];
  const of = (size: Size, name: string) => median(size.actionsMs.get(name) ?? [0]);
  return [
    known('grown_webhooks', largest.webhooksPerSecond, '1/s', empty.webhooksPerSecond),
    known('grown_dispatch_ms', of(largest, 'dispatch: an email'), 'ms', of(empty, 'dispatch: an email')),
    known('grown_stop_ms', of(largest, 'webhook: purchase'), 'ms', of(empty, 'webhook: purchase')),
    ...['read: newest stories', 'read: news', 'read: a page of active sequences', 'read: why'].map((name) => {
      const slowest = quantile(largest.actionsMs.get(name) ?? [0], 0.99);
      return budgeted(`${name.replace('read: ', 'grown_read_').replaceAll(' ', '_')}_ms`, slowest, 'ms', '< 100 ms', (ms) => ms < 100);
    }),
  ];
}

/** Analytics over windows of several lengths, the longest that the API allows among them. */
async function measureDashboard(deps: BuiltDeps, tenantId: string): Promise<{ figures: Figure[]; table: Table }> {
  const rows: [string, number][] = [];
  for (const days of [1, 7, 30, 365, 3_660]) {
    const ms: number[] = [];
    for (let i = 0; i < 5; i++) {
      const fromMs = performance.now();
      await readAnalytics(deps, tenantId, days);
      ms.push(performance.now() - fromMs);
    }
    rows.push([`analytics of ${days} days`, median(ms)]);
  }
  const figures = rows.map(([name, ms]) => budgeted(`grown_${name.replaceAll(' ', '_')}_ms`, ms, 'ms', '< 100 ms', (value) => value < 100));
  return { figures, table: { title: 'What the dashboard counts', columns: ['Query', 'ms'], rows } };
}

/** Start the workflows of some of the sleepers, through the relay. */
async function startWorkflows(stack: BenchStack, deps: BuiltDeps, place: Place, count: number): Promise<number> {
  if (count === 0) return 0;
  const started = await asOwner(stack.databaseUrl, async (owner) => {
    await owner.query('truncate outbox');
    const { rowCount } = await owner.query(
      `insert into outbox (tenant_id, enrollment_id, kind)
       select tenant_id, id, 'start' from enrollments where tenant_id = $1 and ended_at is null order by id limit $2`,
      [place.tenantId, count],
    );
    return rowCount ?? 0;
  });
  const client = lazyClient({ address: stack.temporalAddress, namespace: 'default', apiKey: null, tls: false });
  // No worker polls this queue: the workflows exist, and their first task waits.
  const engine = createWorkflowEngine(client, 'growth');
  while ((await relayOutbox({ ...deps, engine })).taken > 0);
  await client.connection.close();
  return started;
}

/** One pass with a Temporal that has lost nothing. @returns milliseconds */
async function measureReconcile(deps: BuiltDeps): Promise<number> {
  const fromMs = performance.now();
  await reconcile({
    ...deps,
    engine: { start: async () => {}, stop: async () => {}, wake: async () => {}, describe: async () => 'running', async *listRunning() {} },
  });
  return performance.now() - fromMs;
}

/** Count all sums anew, as the migration that introduced them does. */
async function measureRecount(owner: pg.Client): Promise<{ ms: number; enrollments: number }> {
  const fromMs = performance.now();
  await owner.query('select rebuild_rollups()');
  const ms = performance.now() - fromMs;
  const { rows } = await owner.query<{ started: number }>(`select sum(started)::int as started from sums where grain = 'day'`);
  return { ms, enrollments: rows[0]?.started ?? 0 };
}

/** Each hot path once more, with every statement explained. */
async function lookAtPlans(stack: BenchStack, { tenant }: HotShop, owner: pg.Client): Promise<{ figure: Figure; table: Table }> {
  const recorder = await recordPlans(owner);
  const large = await largeTables(owner, 1_000);
  // Connections of its own: the module is loaded when one is opened.
  const deps = openDeps(stack.databaseUrl, stack.masterKey, { defaultSenders: [nullSender] });
  const rows: (string | number)[][] = [];
  let offences = 0;
  for (const action of hotActions({ deps, tenant })) {
    await (await action.prepare())();
    const act = await action.prepare();
    recorder.take();
    await act();
    const seen = recorder.take();
    const found = seen.flatMap((s) => offence(s, large, mostRows) ?? []);
    offences += found.length;
    rows.push([
      action.name,
      seen.length,
      Math.max(0, ...seen.map((s) => s.rowsRead)),
      Math.max(0, ...seen.map((s) => s.pages)),
      found.length === 0 ? 'none' : found.join('; '),
    ]);
  }
  await recorder.stop();
  await deps.db.close();
  return {
    figure: budgeted('grown_plans_that_grow', offences, 'statements', 'none', (n) => n === 0),
    table: {
      title: 'What the hot paths read in the grown tables',
      columns: ['Action', 'Statements, nested ones included', 'Most rows of one', 'Most pages of one', 'Growing'],
      rows,
    },
  };
}
