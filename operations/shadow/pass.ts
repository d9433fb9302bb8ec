import { and, asc, eq, isNull, sql } from 'drizzle-orm';
import { shadowRuns, shadows } from '../../db/schema/index.ts';
import { readConfigured, toOutlets } from '../outlets.ts';
import { decideRun, type ShadowDeps } from './decide-run.ts';

/** A turn of one tenant: others come after it. */
const mostRuns = 100;

/**
 * Let every shadow do what is due: take up enrollments that have begun since, and decide on those that have something to decide or whose real enrollment has
 * ended. Safe in any number of processes.
 * @returns whether there may be more to do right away
 */
export async function shadowPass(deps: ShadowDeps): Promise<boolean> {
  let more = false;
  for (const tenantId of await deps.db.tenantsWithWork('shadows')) {
    await takeUp(deps, tenantId);
    for (let n = 0; n < mostRuns; n++) {
      if (!(await decideNextRun(deps, tenantId))) break;
      more ||= n === mostRuns - 1;
    }
  }
  return more;
}

/** Begin a run for every enrollment that began after its shadow. */
async function takeUp(deps: Pick<ShadowDeps, 'db'>, tenantId: string): Promise<void> {
  await deps.db.withTenant(tenantId, (tx) =>
    tx.execute(sql`
      insert into shadow_runs (tenant_id, id, shadow_id, enrollment_id, anchor_at)
      select s.tenant_id, gen_random_uuid(), s.id, e.id, e.anchor_at
      from shadows s join enrollments e on e.sequence_id = s.beside_id and e.enrolled_at >= s.started_at
      where s.ended_at is null and not exists (select 1 from shadow_runs r where r.shadow_id = s.id and r.enrollment_id = e.id)
      on conflict do nothing`),
  );
}

/** Each run in a transaction of its own: one that cannot be decided holds up no other, and is asked again in an hour. */
async function decideNextRun(deps: ShadowDeps, tenantId: string): Promise<boolean> {
  const asked: { id: string | null } = { id: null };
  try {
    return await deps.db.withTenant(tenantId, async (tx) => {
      const [due] = await tx
        .select({ run: shadowRuns, versionId: shadows.versionId })
        .from(shadowRuns)
        .innerJoin(shadows, eq(shadows.id, shadowRuns.shadowId))
        .where(
          and(
            isNull(shadowRuns.endedAt),
            isNull(shadows.endedAt),
            sql`(${shadowRuns.nextAt} <= ${new Date(deps.clock.nowMs()).toISOString()}::timestamptz or (not ${shadowRuns.followedEnd}
              and exists (select 1 from enrollments e where e.id = ${shadowRuns.enrollmentId} and e.ended_at is not null)))`,
          ),
        )
        .orderBy(asc(shadowRuns.nextAt))
        .limit(1)
        .for('update', { of: shadowRuns, skipLocked: true });
      if (due === undefined) return false;
      asked.id = due.run.id;
      await decideRun(tx, deps, toOutlets(deps, await readConfigured(tx)), due.run, await deps.versions.load(tx, due.versionId));
      return true;
    });
  } catch (error) {
    const { id } = asked;
    if (id === null) throw error;
    deps.log.warn({ run: id, err: error }, 'a shadow run cannot be decided; it is asked again in an hour');
    const later = { nextAt: deps.clock.nowMs() + 3_600_000, followedEnd: true };
    await deps.db.withTenant(tenantId, (tx) => tx.update(shadowRuns).set(later).where(eq(shadowRuns.id, id)));
    return true;
  }
}
