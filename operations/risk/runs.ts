import { and, asc, eq, gt, inArray, isNull, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { riskAssessments, riskRuns, riskStandings, subjects } from '../../db/schema/index.ts';
import type { RiskBand } from '../../domain/risk/bands.ts';
import { account } from '../../domain/subjects/account/index.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted } from '../read/page.ts';
import { assessAccounts } from './assess.ts';

/** An assessment of a store's whole portfolio. */
export type RunRow = typeof riskRuns.$inferSelect;

const atOnce = 200;
const mostFailuresKept = 20;

/** Ask for an assessment of all accounts. A run that nobody has begun yet is taken instead of another. */
export function beginRun(deps: Pick<Deps, 'db'>, tenantId: string, actor: string): Promise<RunRow> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [waiting] = await tx
      .select()
      .from(riskRuns)
      .where(and(isNull(riskRuns.endedAt), isNull(riskRuns.touchedAt)))
      .limit(1);
    if (waiting !== undefined) return waiting;
    const [run] = await tx.insert(riskRuns).values({ tenantId, id: uuidv7(), requestedBy: actor }).returning();
    if (run === undefined) throw new Error('a run that was just written is not there');
    await recordAudit(tx, { tenantId, actor, action: 'risk.assess', subject: run.id, data: {} });
    return run;
  });
}

/** @returns null where the tenant has no such run */
export function readRun(deps: Pick<Deps, 'db'>, tenantId: string, id: string): Promise<RunRow | null> {
  return deps.db.withTenant(tenantId, async (tx) => (await tx.select().from(riskRuns).where(eq(riskRuns.id, id)))[0] ?? null);
}

/** The latest first. */
export function listRuns(deps: Pick<Deps, 'db'>, tenantId: string, page: PageWanted): Promise<Page<RunRow>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const rows = await tx
      .select()
      .from(riskRuns)
      .where(beyond(riskRuns.id, 'newest', page))
      .orderBy(byAge(riskRuns.id, 'newest', page))
      .limit(page.limit + 1);
    return pageOf(rows, page.limit, ({ id }) => id);
  });
}

/**
 * Begin the runs that were requested, and resume those without progress for a minute.
 * @param start - starts the workflow of a run; one that runs already is a success
 */
export async function startRuns(deps: Deps, start: (run: { tenantId: string; runId: string }) => Promise<void>): Promise<boolean> {
  for (const tenantId of await deps.db.tenantsWithWork('risk_runs')) {
    const open = await deps.db.withTenant(tenantId, (tx) =>
      tx
        .select({ id: riskRuns.id })
        .from(riskRuns)
        .where(and(isNull(riskRuns.endedAt), sql`(touched_at is null or touched_at <= clock_timestamp() - interval '1 minute')`)),
    );
    for (const { id } of open) await start({ tenantId, runId: id });
  }
  return false;
}

/**
 * Assess all accounts of a run, page by page from where it stands: whoever begins it again after a crash goes on there. Each account is assessed once by it:
 * those of a page that was not finished bear the id of the run already, and are left out, but counted.
 * @param options.signal - aborted when the process ends: the page in hand is finished
 */
export async function workOnRun(
  deps: Deps,
  { tenantId, runId }: { tenantId: string; runId: string },
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: () => void } = {},
): Promise<{ assessed: number; failed: number; ended: boolean }> {
  for (;;) {
    onProgress?.();
    const run = await readRun(deps, tenantId, runId);
    if (run === null || run.endedAt !== null || signal?.aborted === true)
      return { assessed: run?.assessed ?? 0, failed: run?.failed ?? 0, ended: run?.endedAt !== null };
    const page = await deps.db.withTenant(tenantId, async (tx) => {
      await tx.update(riskRuns).set({ touchedAt: sql`clock_timestamp()` }).where(eq(riskRuns.id, runId));
      return tx
        .select({ id: subjects.id })
        .from(subjects)
        .where(and(eq(subjects.kind, account.kind), eq(subjects.state, 'open'), run.cursor === null ? undefined : gt(subjects.id, run.cursor)))
        .orderBy(asc(subjects.id))
        .limit(atOnce);
    });
    const ids = page.map(({ id }) => id);
    const { assessed, failed } = await assessAccounts(deps, tenantId, ids, 'portfolio', runId);
    await deps.checkpoints('risk.page_assessed');
    const elsewhere = await readStanding(
      deps,
      tenantId,
      ids.filter((id) => !failed.includes(id) && !assessed.some(({ accountId }) => accountId === id)),
    );
    const found = [...assessed, ...elsewhere];
    const bands = { ...run.bands };
    for (const { band } of found) bands[band] = (bands[band] ?? 0) + 1;
    await deps.db.withTenant(tenantId, (tx) =>
      tx
        .update(riskRuns)
        .set({
          cursor: ids.at(-1) ?? run.cursor,
          touchedAt: sql`clock_timestamp()`,
          // One that somebody else assessed meanwhile is assessed.
          assessed: run.assessed + ids.length - failed.length,
          changed: run.changed + found.filter(({ band, bandBefore }) => band !== bandBefore).length,
          failed: run.failed + failed.length,
          failures: [...run.failures, ...failed].slice(0, mostFailuresKept),
          bands,
          ...(ids.length < atOnce ? { endedAt: sql`clock_timestamp()` } : {}),
        })
        .where(and(eq(riskRuns.id, runId), run.cursor === null ? isNull(riskRuns.cursor) : eq(riskRuns.cursor, run.cursor))),
    );
  }
}

/** The assessments that stand of accounts which somebody else has assessed, or this run before a crash. */
function readStanding(deps: Pick<Deps, 'db'>, tenantId: string, ids: readonly string[]): Promise<{ band: RiskBand; bandBefore: RiskBand }[]> {
  if (ids.length === 0) return Promise.resolve([]);
  return deps.db.withTenant(tenantId, (tx) =>
    tx
      .select({ band: riskAssessments.band, bandBefore: riskAssessments.bandBefore })
      .from(riskStandings)
      .innerJoin(riskAssessments, eq(riskAssessments.id, riskStandings.assessmentId))
      .where(inArray(riskStandings.subjectId, [...ids])),
  );
}
