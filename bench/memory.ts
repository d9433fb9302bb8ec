import { Client, Connection } from '@temporalio/client';
import type pg from 'pg';
import { freePort } from '../local/ports.ts';
import { loadPresets, publishPresets } from '../operations/publish-presets.ts';
import { recoveryWorkflowId, recoveryWorkflowType } from '../workflows/contract.ts';
import { buildWorker } from './build-worker.ts';
import { fillAsleep, placeOf, type Place } from './growth/fill.ts';
import { asleep } from './history.ts';
import { besideFloor, budgeted, type Figure, known, type Measured, median, until, untilCount } from './measure.ts';
import { openDeps, openTenant } from './shop.ts';
import { asOwner, type BenchStack } from './stack.ts';

const mebibyte = 2 ** 20;

/** Resident memory of a worker process while more and more workflows sleep. Started through the relay, as everywhere. */
export async function measureMemory(stack: BenchStack, sleeping: readonly number[], say: (line: string) => void): Promise<Measured> {
  const deps = openDeps(stack.databaseUrl, stack.masterKey);
  const slug = 'bench-memory';
  const tenant = { ...(await openTenant(deps, slug)), slug };
  await publishPresets(deps, await loadPresets());
  await deps.db.close();
  const metricsPort = await freePort();
  const script = buildWorker(say);
  await stack.spawn(script, {
    // As in docker-compose.yml: without a limit V8 takes what the machine has.
    NODE_OPTIONS: '--max-old-space-size=192',
    NODE_ENV: 'production',
    // Every far end is on this machine.
    REKINDLE_PRIVATE_ADDRESSES: 'all',
    PUBLIC_URL: 'https://rekindle.example.com',
    DATABASE_URL: stack.databaseUrl,
    TEMPORAL_ADDRESS: stack.temporalAddress,
    REKINDLE_MASTER_KEY: stack.masterKey.toString('base64'),
    METRICS_PORT: String(metricsPort),
    LOG_LEVEL: 'error',
  });
  const connection = await Connection.connect({ address: stack.temporalAddress });
  const client = new Client({ connection });
  const seen: { count: number; mib: number; perSecond: number | null }[] = [];
  await asOwner(stack.databaseUrl, async (owner) => {
    const place = await placeOf(owner, tenant);
    let there = 0;
    for (const count of sleeping.toSorted((a, b) => a - b)) {
      const fromMs = performance.now();
      await putToSleep(owner, client, place, there, count);
      const perSecond = count === there ? null : ((count - there) * 1_000) / (performance.now() - fromMs);
      there = count;
      seen.push({ count, mib: await settledMib(metricsPort), perSecond });
      say(`memory: ${count} asleep, ${seen.at(-1)?.mib.toFixed(0)} MiB`);
    }
  });
  await connection.close();
  return {
    figures: figuresOf(seen),
    tables: [
      {
        title: `Memory of one worker process (${script})`,
        columns: ['Sleeping workflows', 'RSS in MiB', 'Started per second'],
        rows: seen.map(({ count, mib, perSecond }) => [count, mib, perSecond ?? '–']),
      },
    ],
  };
}

/** Rows `from` to `to`, and their workflows. */
async function putToSleep(owner: pg.Client, client: Client, place: Place, from: number, to: number): Promise<void> {
  if (to <= from) return;
  await fillAsleep(owner, place, { from, to });
  const { rows } = await owner.query<{ enrollment_id: string }>(
    `insert into outbox (tenant_id, enrollment_id, kind)
     select tenant_id, id, 'start' from enrollments e where tenant_id = $1 and ended_at is null and sequence_id = $2 order by id offset $3
     returning enrollment_id`,
    [place.tenantId, place.sequenceId, from],
  );
  const sent = async () => rows.length - Number((await owner.query<{ n: string }>('select count(*) as n from outbox')).rows[0]?.n);
  await untilCount({ what: 'rows of the outbox sent', target: rows.length, count: sent, everyMs: 200 });
  const some = [rows[0], rows[rows.length >> 1], rows.at(-1)].flatMap((row) => row ?? []);
  await asleep(some.map((row) => client.workflow.getHandle(recoveryWorkflowId(place.slug, 'cart', row.enrollment_id))));
  const running = async () => (await client.workflow.count(`WorkflowType = '${recoveryWorkflowType}' AND ExecutionStatus = 'Running'`)).count;
  await untilCount({ what: 'workflows running', target: to, count: running, everyMs: 200 });
}

/** From its own metrics: the median of some seconds after the last workflow fell asleep. */
async function settledMib(metricsPort: number): Promise<number> {
  const samples: number[] = [];
  const look = async () => {
    const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    const bytes = Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]);
    if (!Number.isFinite(bytes)) throw new Error('the worker does not tell its memory');
    samples.push(bytes / mebibyte);
    return samples.length >= 10;
  };
  await until('ten looks at its memory', look, 60_000, 500);
  return median(samples);
}

function figuresOf(seen: readonly { count: number; mib: number }[]): Figure[] {
  const [none, fewer, most] = [seen[0], seen.at(-2), seen.at(-1)];
  if (none === undefined || most === undefined) return [];
  const figures = [
    known('worker_memory_idle', none.mib, 'MiB'),
    budgeted(`worker_memory_${most.count}_asleep`, most.mib, 'MiB', '<= 400 MB', (mib) => mib * mebibyte <= 400e6),
  ];
  if (fewer === undefined || fewer === none) return figures;
  // The cache of the worker fills with the first few hundred; between the two largest numbers it has to stay as it is.
  return [
    ...figures,
    besideFloor('worker_memory_growth', most.mib, 'MiB', fewer.mib, `flat: <= 1.1 x with ${fewer.count} asleep`, (ratio) => ratio <= 1.1),
  ];
}
