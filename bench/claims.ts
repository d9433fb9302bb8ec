import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type pg from 'pg';
import type { BuiltDeps } from '../operations/create-deps.ts';
import { publishPreset } from '../operations/publish-sequence.ts';
import { relayOutbox } from '../operations/relay-outbox.ts';
import { lazyClient } from '../temporal/connect.ts';
import { createWorkflowEngine } from '../temporal/engine.ts';
import { taskQueue } from '../workflows/contract.ts';
import { buildWorker } from './build-worker.ts';
import { type FarEnd, openFarEnd } from './far-end.ts';
import { mailsInARow } from './five-mails.ts';
import { budgeted, flood, type Measured, quantile, untilCount } from './measure.ts';
import type { BenchOptions } from './options.ts';
import { accept, cartUpdated, openDeps, openTenant, sign } from './shop.ts';
import { asOwner, type BenchStack, endChild } from './stack.ts';

const backlog = 1_000;
const kills = 3;
/** Half an hour after its email was due, and long before it is too old. */
const leftMs = 2.5 * 3_600_000;
const budgetMs = 50;
/** As many claims as a process may hold that it has not handed over (operations/claim-slots.ts). */
const mostUnseen = 3;

/**
 * A worker takes up a backlog of due steps: how long a claim stands before the far end sees its call, and how many claims a worker that is killed in
 * the middle leaves `unknown` of which the far end has seen nothing.
 */
export async function measureClaims(stack: BenchStack, { part, say }: BenchOptions): Promise<Measured> {
  const deps = openDeps(stack.databaseUrl, stack.masterKey);
  const farEnd = await openFarEnd();
  const script = buildWorker(say);
  const openWorker = () =>
    stack.spawn(script, {
      NODE_ENV: 'production',
      // Every far end is on this machine.
      REKINDLE_PRIVATE_ADDRESSES: 'all',
      PUBLIC_URL: 'https://rekindle.example.com',
      DATABASE_URL: stack.databaseUrl,
      TEMPORAL_ADDRESS: stack.temporalAddress,
      REKINDLE_MASTER_KEY: stack.masterKey.toString('base64'),
      SMTP_URL: farEnd.url,
      LOG_LEVEL: 'error',
    });
  const sent = (target: number) => untilCount({ what: 'messages at the far end', target, count: async () => farEnd.seen.size, everyMs: 2 });
  try {
    return await asOwner(stack.databaseUrl, async (owner) => {
      const tenant = { ...(await openTenant(deps, 'bench-claims')), slug: 'bench-claims' };
      await publishPreset(deps, tenant.tenantId, await mailsInARow(1));
      const makeBacklog = async () => {
        await flood(backlog, 16, () => accept(deps, sign(tenant, cartUpdated(randomUUID(), Date.now() - leftMs))));
        await startAll(stack, deps);
      };
      say(`claims: a backlog of ${backlog}`);
      await makeBacklog();
      const times = await part('claims, a worker takes up a backlog', async () => {
        const worker = await openWorker();
        await sent(backlog);
        await endChild(worker);
        return timesOf(owner, farEnd);
      });
      const unseen = await part('claims, a worker is killed', async () => {
        const counts: number[] = [];
        const counted = new Set<string>();
        say(`claims: a backlog of ${backlog}, and ${kills} workers killed`);
        await makeBacklog();
        const before = farEnd.seen.size;
        for (let kill = 1; kill <= kills; kill++) {
          const worker = await openWorker();
          await sent(before + (kill * backlog) / (kills + 2));
          await killed(worker);
          counts.push(await countUnseen(owner, farEnd, counted));
        }
        return counts;
      });
      const [calls, bodies] = [times?.map((t) => t.toCallMs) ?? [], times?.map((t) => t.toBodyMs) ?? []];
      return {
        figures: [
          ...(calls.length === 0
            ? []
            : [budgeted('claim_to_first_byte_p99', quantile(calls, 0.99), 'ms', `<= ${budgetMs} ms`, (ms) => ms <= budgetMs)]),
          ...(unseen === null
            ? []
            : [budgeted('unknown_and_unseen', Math.max(...unseen), 'messages', `<= ${mostUnseen} a killed worker`, (n) => n <= mostUnseen)]),
        ],
        latencies:
          calls.length === 0
            ? []
            : [
                { name: 'claim_to_first_byte', valuesMs: calls, floorMs: null },
                { name: 'claim_to_body', valuesMs: bodies, floorMs: null },
              ],
        notes: [
          `a worker takes up ${backlog} due steps; from the claim’s write, its COMMIT included, to MAIL FROM and to the first byte of the message at the SMTP server`,
          ...(unseen === null ? [] : [`workers killed: ${kills}; claims that the server had seen nothing of: ${unseen.join(', ')}`]),
        ],
      };
    });
  } finally {
    await farEnd.close();
    await deps.db.close();
  }
}

/** The workflows exist, and the first task of each waits for a worker. */
async function startAll(stack: BenchStack, deps: BuiltDeps): Promise<void> {
  const client = lazyClient({ address: stack.temporalAddress, namespace: 'default', apiKey: null, tls: false });
  const engine = createWorkflowEngine(client, taskQueue);
  while ((await relayOutbox({ ...deps, engine })).taken > 0);
  await client.connection.close();
}

async function killed(worker: ChildProcess): Promise<void> {
  const ended = once(worker, 'exit');
  worker.kill('SIGKILL');
  await ended;
}

async function timesOf(owner: pg.Client, { seen }: FarEnd): Promise<{ toCallMs: number; toBodyMs: number }[]> {
  const { rows } = await owner.query<{ address: string; claimed_ms: number }>(
    `select lower(payload -> 'to' ->> 'address') as address, (extract(epoch from claimed_at) * 1000)::double precision as claimed_ms
     from messages where claimed_at is not null`,
  );
  return rows.flatMap(({ address, claimed_ms: claimedMs }) => {
    const found = seen.get(address);
    return found?.bodyAtMs == null ? [] : [{ toCallMs: found.callAtMs - claimedMs, toBodyMs: found.bodyAtMs - claimedMs }];
  });
}

/** Claims without a call that the server has seen. @param counted - those of workers that were killed before; added to */
async function countUnseen(owner: pg.Client, { seen }: FarEnd, counted: Set<string>): Promise<number> {
  const { rows } = await owner.query<{ address: string }>(
    `select lower(payload -> 'to' ->> 'address') as address from messages where state in ('claimed', 'unknown')`,
  );
  const unseen = rows.filter(({ address }) => !seen.has(address) && !counted.has(address));
  for (const { address } of unseen) counted.add(address);
  return unseen.length;
}
