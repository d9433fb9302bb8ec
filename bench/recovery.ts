import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { isNotNull, sql } from 'drizzle-orm';
import { enrollments } from '../db/schema/index.ts';
import type { BuiltDeps, DepsOptions } from '../operations/create-deps.ts';
import type { ProvisionedTenant } from '../operations/provision-tenant.ts';
import { publishPreset } from '../operations/publish-sequence.ts';
import { startWorker } from '../worker/start-worker.ts';
import { recoveryWorkflowId } from '../workflows/contract.ts';
import { enrollmentsOf } from './enrollments.ts';
import { mailsInARow, nullSender } from './five-mails.ts';
import { untilCount } from './measure.ts';
import { openDeps, openTenant } from './shop.ts';
import type { BenchStack } from './stack.ts';

export interface BenchTenant extends ProvisionedTenant {
  slug: string;
}

/** The product's worker with a provider that takes everything, in this process. */
export interface RecoveryBench {
  deps: BuiltDeps;
  client: Client;
  taskQueue: string;
  /** A tenant with one sequence: emails in a row, by default five. */
  tenant(slug: string, timeScale: number, steps?: number): Promise<BenchTenant>;
  close(): Promise<void>;
}

export async function openRecovery(stack: BenchStack, more: Partial<DepsOptions> = {}): Promise<RecoveryBench> {
  const deps = openDeps(stack.databaseUrl, stack.masterKey, { defaultSenders: [nullSender], ...more });
  const taskQueue = 'bench';
  // Started first: it publishes the presets of the repo to every tenant that exists, and these tenants are to have one sequence only.
  const worker = await startWorker(
    deps,
    { address: stack.temporalAddress, namespace: 'default', apiKey: null, tls: false, taskQueue },
    { relayEveryMs: 200, reconcileEveryMs: 3_600_000 },
  );
  const connection = await Connection.connect({ address: stack.temporalAddress });
  return {
    deps,
    client: new Client({ connection }),
    taskQueue,
    async tenant(slug, timeScale, steps) {
      const tenant = await openTenant(deps, slug, timeScale);
      await publishPreset(deps, tenant.tenantId, await mailsInARow(steps));
      return { ...tenant, slug };
    },
    async close() {
      await worker.stop();
      await connection.close();
      await deps.db.close();
    },
  };
}

/** A worker of the bare workflows on the same server, in the same process, with the same limits as the product's. */
export async function openFloor(stack: BenchStack, activities: Record<string, (...args: never[]) => Promise<void>> = {}) {
  const connection = await NativeConnection.connect({ address: stack.temporalAddress });
  const worker = await Worker.create({
    connection,
    taskQueue: 'floor',
    workflowsPath: fileURLToPath(new URL('./floor-workflows.ts', import.meta.url)),
    activities: { nothing: async () => undefined, ...activities },
    maxCachedWorkflows: 300,
    maxConcurrentActivityTaskExecutions: 40,
  });
  const done = worker.run();
  return {
    async close() {
      worker.shutdown();
      await done;
      await connection.close();
    },
  };
}

/** The workflow of each of these carts. @throws Error when one has none */
export async function workflowIdsOf(deps: BuiltDeps, tenant: BenchTenant, carts: readonly string[]): Promise<string[]> {
  const begun = await enrollmentsOf(deps, tenant.tenantId, carts);
  return begun.map(({ id, sequence }) => recoveryWorkflowId(tenant.slug, sequence, id));
}

export async function countEnded(deps: BuiltDeps, tenantId: string): Promise<number> {
  const [row] = await deps.db.withTenant(tenantId, (tx) =>
    tx.select({ n: sql<number>`count(*)::int` }).from(enrollments).where(isNotNull(enrollments.endedAt)),
  );
  return row?.n ?? 0;
}

/**
 * Begin `count` enrollments, with at most `atOnce` between their webhook and their end, as a floor that waits for each has them.
 * Resolves when all have ended.
 */
export async function runThrough(deps: BuiltDeps, tenantId: string, count: number, atOnce: number, begin: () => Promise<unknown>): Promise<void> {
  const before = await countEnded(deps, tenantId);
  let [begun, ended] = [0, 0];
  await untilCount({
    what: 'enrollments ended',
    target: count,
    async count() {
      // A poll that fails on a busy machine counts as one that saw nothing.
      ended = await countEnded(deps, tenantId).then(
        (now) => now - before,
        () => ended,
      );
      const room = Math.min(count - begun, atOnce - (begun - ended));
      begun += room;
      await Promise.all(Array.from({ length: room }, begin));
      return ended;
    },
  });
}

/** Wait until that many enrollments have ended in all. @param leastMs - how long none may end: as long as their steps are apart */
export function allEnded(deps: BuiltDeps, tenantId: string, count: number, leastMs = 120_000): Promise<void> {
  // A poll that fails on a machine under load is one that saw nothing.
  return untilCount({ what: 'enrollments ended', target: count, count: () => countEnded(deps, tenantId).catch(() => 0), leastMs });
}
