import { and, eq, sql } from 'drizzle-orm';
import { faultOf, type OutboxItem } from '../db/client.ts';
import { enrollments, messages, outbox, tenants } from '../db/schema/index.ts';
import { compilePlan } from '../domain/sequence/compile-plan.ts';
import type { Deps, WorkflowEngine } from './deps.ts';
import { readProgress } from './dispatch/progress.ts';
import { endOf } from './dispatch/records.ts';
import type { VersionCache } from './dispatch/versions.ts';

export type RelayDeps = Deps & { engine: WorkflowEngine; versions: VersionCache };

const batch = 50;
const claimMs = 30_000;

/**
 * Send what waits in the outbox to Temporal. The database hands out the first row of each enrollment only, so a `stop` never overtakes
 * its `start`; a row that fails is tried again without end, with back-off. Safe to run in any number of processes.
 * @returns how many rows were taken; a full batch means there may be more
 */
export async function relayOutbox(deps: RelayDeps): Promise<{ taken: number; failed: number }> {
  const items = await deps.db.claimOutbox(batch, claimMs);
  const results = await Promise.allSettled(items.map((item) => relayOne(deps, item)));
  let failed = 0;
  for (const [index, result] of results.entries()) {
    const item = items[index];
    if (result.status === 'fulfilled' || item === undefined) continue;
    failed++;
    const error: unknown = result.reason;
    deps.log.warn({ enrollmentId: item.enrollmentId, kind: item.kind, attempts: item.attempts, err: error }, 'Temporal could not be told yet');
    await putOff(deps, item, error).catch(() => undefined);
  }
  return { taken: items.length, failed };
}

async function relayOne(deps: RelayDeps, item: OutboxItem): Promise<void> {
  const read = await deps.db.withTenant(item.tenantId, async (tx) => {
    const [enrollment] = await tx.select().from(enrollments).where(eq(enrollments.id, item.enrollmentId));
    const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, item.tenantId));
    if (enrollment === undefined || tenant === undefined) return null;
    const version = await deps.versions.load(tx, enrollment.versionId);
    const ledger = item.kind === 'start' ? await tx.select().from(messages).where(eq(messages.enrollmentId, enrollment.id)) : [];
    return { enrollment, tenant, version, ledger };
  });
  if (read !== null) {
    const { enrollment, tenant, version, ledger } = read;
    const ref = { tenantSlug: tenant.slug, sequence: version.slug, enrollmentId: enrollment.id };
    if (item.kind === 'start') {
      // Ended before it began: there is nothing to start. The stop that follows finds nothing, which is a success.
      if (enrollment.endedAt === null) {
        await deps.engine.start({
          ...ref,
          tenantId: item.tenantId,
          subjectKind: 'cart',
          subjectId: enrollment.subjectId,
          plan: compilePlan(version.definition, version.version, enrollment.timeScale),
          progress: readProgress(enrollment, ledger),
        });
      }
    } else if (item.kind === 'stop') {
      await deps.engine.stop(ref, endOf(enrollment) ?? 'manual');
    } else {
      await deps.engine.wake(ref);
    }
  }
  await deps.db.withTenant(item.tenantId, (tx) => tx.delete(outbox).where(eq(outbox.seq, item.seq)));
  deps.telemetry.outboxDone(item.kind, Math.max(0, deps.clock.nowMs() - item.createdAtMs));
}

async function putOff(deps: RelayDeps, item: OutboxItem, error: unknown): Promise<void> {
  const waitS = Math.min(30, 0.25 * 2 ** Math.min(item.attempts, 10));
  await deps.db.withTenant(item.tenantId, (tx) =>
    tx
      .update(outbox)
      .set({
        claimedUntil: null,
        nextAttemptAt: sql`clock_timestamp() + make_interval(secs => ${waitS}::double precision)`,
        lastError: faultOf(error),
      })
      .where(and(eq(outbox.seq, item.seq), eq(outbox.enrollmentId, item.enrollmentId))),
  );
}
