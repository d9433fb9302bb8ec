import { and, asc, eq, gt, inArray, isNotNull, isNull, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { TenantSummary } from '../db/client.ts';
import { auditLog, enrollments, outbox, sequences } from '../db/schema/index.ts';
import { closeEnrollment } from './close-enrollment.ts';
import type { Deps, WorkflowEngine } from './deps.ts';

export interface ReconcileReport {
  checked: number;
  restarted: number;
  closed: number;
  stopped: number;
}

export interface ReconcileOptions {
  /** Enrollments younger than this are left to the relay. */
  graceMs: number;
  /** Only this store's; absent: everybody's. */
  tenantId?: string;
  /** Called for every row and every workflow that was checked, so that a long pass does not look dead. */
  onProgress?: () => void;
  /** Called for each enrollment that could not be examined, and the pass goes on; absent: the pass fails. */
  onFailure?: (enrollmentId: string, error: unknown) => void;
}

const page = 500;

/**
 * Find where Temporal and Postgres disagree and repair it through the outbox, never by calling Temporal itself: starts that were lost,
 * a Temporal whose state is gone, workflows that an operator terminated, workflows whose enrollment has ended.
 */
export async function reconcile(deps: Deps & { engine: WorkflowEngine }, options: ReconcileOptions = { graceMs: 60_000 }): Promise<ReconcileReport> {
  const report: ReconcileReport = { checked: 0, restarted: 0, closed: 0, stopped: 0 };
  const tenants = await deps.db.listTenants();
  for (const tenant of tenants.filter(({ id }) => options.tenantId === undefined || id === options.tenantId)) {
    const running = new Set<string>();
    for await (const id of deps.engine.listRunning(tenant.slug)) {
      running.add(id);
      options.onProgress?.();
    }
    await findOrphans(deps, tenant, running, report, options);
    await stopZombies(deps, tenant, [...running], report);
  }
  if (report.restarted + report.closed + report.stopped > 0) {
    deps.log.warn({ ...report }, 'Postgres and Temporal disagreed; repaired');
    deps.kickRelay();
  }
  return report;
}

/** Open enrollments without a running workflow. What visibility does not show is asked for by id: it lags. */
async function findOrphans(
  deps: Deps & { engine: WorkflowEngine },
  tenant: TenantSummary,
  running: Set<string>,
  report: ReconcileReport,
  options: ReconcileOptions,
): Promise<void> {
  for (let after: string | null = '00000000-0000-0000-0000-000000000000'; after !== null; ) {
    const rows = await openEnrollments(deps, tenant.id, after, options.graceMs);
    // Those whose start still waits in the outbox are left to the relay.
    for (const row of rows.filter(({ waiting }) => !waiting)) {
      report.checked++;
      options.onProgress?.();
      if (running.has(row.id)) continue;
      try {
        await mendOrphan(deps, tenant, row, report);
      } catch (error) {
        // One that Temporal gives no answer about does not keep the others from being looked at.
        if (options.onFailure === undefined) throw error;
        options.onFailure(row.id, error);
      }
    }
    after = rows.length < page ? null : (rows.at(-1)?.id ?? null);
  }
}

interface OpenEnrollment {
  id: string;
  sequence: string;
  /** Something for it is in the outbox. */
  waiting: boolean;
}

/** The next page of open enrollments, by id. */
function openEnrollments(deps: Deps, tenantId: string, after: string, graceMs: number): Promise<OpenEnrollment[]> {
  return deps.db.withTenant(tenantId, (tx) =>
    tx
      .select({
        id: enrollments.id,
        sequence: sequences.slug,
        // Asked of the page's rows alone: as a condition it would join all open enrollments with the outbox, page after page.
        waiting: sql<boolean>`exists (select 1 from ${outbox} where ${outbox.enrollmentId} = ${enrollments.id})`,
      })
      .from(enrollments)
      .innerJoin(sequences, eq(sequences.id, enrollments.sequenceId))
      .where(
        and(
          isNull(enrollments.endedAt),
          gt(enrollments.id, after),
          sql`enrolled_at < statement_timestamp() - make_interval(secs => ${graceMs / 1000}::double precision)`,
        ),
      )
      .orderBy(asc(enrollments.id))
      .limit(page),
  );
}

/** An end that was made in Temporal is written back; a workflow that is gone is started again. */
async function mendOrphan(
  deps: Deps & { engine: WorkflowEngine },
  tenant: TenantSummary,
  { id, sequence }: OpenEnrollment,
  report: ReconcileReport,
): Promise<void> {
  const state = await deps.engine.describe({ tenantSlug: tenant.slug, sequence, enrollmentId: id });
  if (state === 'running') return;
  if (state === 'terminated' || state === 'cancelled') {
    // It may have ended otherwise since the row was read; the first end stays.
    const reason = await closeEnrollment(deps, { tenantId: tenant.id, enrollmentId: id, reason: state, note: 'ended in Temporal' });
    if (reason !== state) return;
    await audit(deps, tenant.id, 'reconcile.closed', id, { workflow: state });
    deps.telemetry.repaired('closed');
    report.closed++;
    return;
  }
  if (!(await queue(deps, tenant.id, id, 'start'))) return;
  await audit(deps, tenant.id, 'reconcile.restarted', id, { workflow: state });
  deps.telemetry.repaired('restarted');
  report.restarted++;
}

/** Workflows that run although their enrollment has ended: a start that arrived late, a reset by an operator. Visibility shows closed ones for a while. */
async function stopZombies(
  deps: Deps & { engine: WorkflowEngine },
  tenant: TenantSummary,
  running: string[],
  report: ReconcileReport,
): Promise<void> {
  for (let i = 0; i < running.length; i += page) {
    const ids = running.slice(i, i + page);
    const ended = await deps.db.withTenant(tenant.id, (tx) =>
      tx
        .select({ id: enrollments.id, sequence: sequences.slug })
        .from(enrollments)
        .innerJoin(sequences, eq(sequences.id, enrollments.sequenceId))
        .where(and(inArray(enrollments.id, ids), isNotNull(enrollments.endedAt), sql`ended_at < clock_timestamp() - interval '30 seconds'`)),
    );
    for (const { id, sequence } of ended) {
      if ((await deps.engine.describe({ tenantSlug: tenant.slug, sequence, enrollmentId: id })) !== 'running') continue;
      if (!(await queue(deps, tenant.id, id, 'stop'))) continue;
      await audit(deps, tenant.id, 'reconcile.stopped', id, { workflow: 'running' });
      deps.telemetry.repaired('stopped');
      report.stopped++;
    }
  }
}

/** Write to the outbox, unless something for this enrollment waits there already or it changed meanwhile. */
async function queue(deps: Deps, tenantId: string, enrollmentId: string, kind: 'start' | 'stop'): Promise<boolean> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [row] = await tx.select({ endedAt: enrollments.endedAt }).from(enrollments).where(eq(enrollments.id, enrollmentId)).for('no key update');
    if (row === undefined || (row.endedAt === null) !== (kind === 'start')) return false;
    const waiting = await tx.select({ seq: outbox.seq }).from(outbox).where(eq(outbox.enrollmentId, enrollmentId)).limit(1);
    if (waiting.length > 0) return false;
    await tx.insert(outbox).values({ tenantId, enrollmentId, kind });
    return true;
  });
}

async function audit(deps: Deps, tenantId: string, action: string, subject: string, data: Record<string, unknown>): Promise<void> {
  await deps.db.withTenant(tenantId, (tx) => tx.insert(auditLog).values({ tenantId, id: uuidv7(), actor: 'reconciler', action, subject, data }));
}
