import { and, desc, eq, gte, isNotNull, lt, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { postgresCode, type Tx } from '../../db/client.ts';
import { backtests, bulkJobs, bulkMembers, sequences, sequenceVersions, subjects } from '../../db/schema/index.ts';
import { kindOfSequence } from '../../domain/sequence/triggers.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted } from '../read/page.ts';

export type BulkJob = typeof bulkJobs.$inferSelect;
export type BulkFilter = BulkJob['filter'];

export interface BulkWish {
  tenantId: string;
  slug: string;
  filter: BulkFilter;
  /** So many people at most. */
  people: number;
  per: BulkJob['per'];
  /** So many altogether; null: all. */
  most: number | null;
  actor: string;
}

/** What keeps a bulk enrollment from beginning, with its remedy. For programs: they reach the API as the `code` of a 409. */
export type BulkRefused =
  /** It is a draft, archived or paused. */
  | { kind: 'sequence_not_active' }
  /** The version in use has not been run over the store's history. */
  | { kind: 'not_backtested'; slug: string; version: number }
  /** The backtest found people who would have got a message after buying. */
  | { kind: 'messages_after_buying'; people: number; backtestId: string }
  | { kind: 'bulk_running'; id: string };

export type BulkBegun = { kind: 'begun'; job: BulkJobView } | { kind: 'unknown_sequence' } | BulkRefused;

/** A job, and what became of those who were not taken in. */
export interface BulkJobView {
  job: BulkJob;
  slug: string;
  version: number;
  /** How many, by reason. */
  refused: Record<string, number>;
}

/**
 * Begin to take old subjects into a sequence. The worker does it bit by bit (`take-in.ts`).
 * Source: docs/rules.md#rule-27
 */
export async function beginBulk(deps: Pick<Deps, 'db' | 'subjects'>, wish: BulkWish): Promise<BulkBegun> {
  const { tenantId, slug, filter, people, per, most, actor } = wish;
  return deps.db
    .withTenant(tenantId, async (tx): Promise<BulkBegun> => {
      const [found] = await tx
        .select({ sequence: sequences, version: sequenceVersions })
        .from(sequences)
        .innerJoin(sequenceVersions, eq(sequenceVersions.id, sequences.currentVersionId))
        .where(eq(sequences.slug, slug));
      if (found === undefined) return { kind: 'unknown_sequence' };
      const { sequence, version } = found;
      if (sequence.status !== 'ACTIVE' || sequence.paused) return { kind: 'sequence_not_active' };
      const [open] = await tx
        .select({ id: bulkJobs.id })
        .from(bulkJobs)
        .where(and(eq(bulkJobs.sequenceId, sequence.id), isOpen));
      if (open !== undefined) return { kind: 'bulk_running', id: open.id };
      const tested = await latestReport(tx, version);
      if (tested === null) return { kind: 'not_backtested', slug, version: version.version };
      const { people: wronged } = tested.report.messaged_after_buying;
      if (wronged > 0) return { kind: 'messages_after_buying', people: wronged, backtestId: tested.id };
      const kind = kindOfSequence(deps.subjects, version.definition);
      if (kind === null) throw new Error(`nothing is known about what ${version.definition.on} starts`);
      const id = uuidv7();
      const candidates = await countCandidates(tx, kind.kind, filter);
      const about = { sequenceId: sequence.id, versionId: version.id, backtestId: tested.id, subjectKind: kind.kind };
      await tx.insert(bulkJobs).values({ tenantId, id, ...about, filter, people, per, most, candidates, requestedBy: actor });
      await recordAudit(tx, { tenantId, actor, action: 'bulk.start', subject: id, data: { sequence: slug, version: version.version, people, per } });
      const job = await read(tx, id);
      if (job === null) throw new Error('a bulk enrollment was not stored');
      return { kind: 'begun', job };
    })
    .catch(async (error: unknown) => {
      // unique_violation: another request was first; it is found now.
      if (postgresCode(error) !== '23505') throw error;
      return beginBulk(deps, wish);
    });
}

const isOpen = sql`${bulkJobs.state} in ('running', 'paused')`;

/** The latest report on this very version. */
async function latestReport(tx: Tx, { id, sourceHash }: typeof sequenceVersions.$inferSelect) {
  const [row] = await tx
    .select({ id: backtests.id, report: backtests.report })
    .from(backtests)
    .where(and(eq(backtests.versionId, id), eq(backtests.sourceHash, sourceHash), eq(backtests.state, 'done'), isNotNull(backtests.report)))
    .orderBy(desc(backtests.id))
    .limit(1);
  return row === undefined || row.report === null ? null : { id: row.id, report: row.report };
}

/** The subjects that a job looks at, in the order of their ids. */
export function candidatesOf(subjectKind: string, { activeFromMs, activeUntilMs }: BulkFilter) {
  return and(
    eq(subjects.kind, subjectKind),
    eq(subjects.state, 'open'),
    isNotNull(subjects.contactId),
    activeFromMs === null ? undefined : gte(subjects.lastActivityAt, activeFromMs),
    activeUntilMs === null ? undefined : lt(subjects.lastActivityAt, activeUntilMs),
  );
}

async function countCandidates(tx: Tx, kind: string, filter: BulkFilter): Promise<number> {
  const [row] = await tx.select({ n: sql<number>`count(*)::int` }).from(subjects).where(candidatesOf(kind, filter));
  return row?.n ?? 0;
}

export type BulkChange = 'pause' | 'resume' | 'cancel';
const changes = {
  pause: { from: ['running'], to: 'paused' },
  resume: { from: ['paused'], to: 'running' },
  cancel: { from: ['running', 'paused'], to: 'cancelled' },
} as const;

/** Pause, resume or cancel: from the next person on. @returns null: there is no such job; `refused`: it is not in a state for that */
export function changeBulk(
  deps: Pick<Deps, 'db'>,
  { tenantId, id, does, actor }: { tenantId: string; id: string; does: BulkChange; actor: string },
): Promise<{ view: BulkJobView; refused: boolean } | null> {
  const { from, to } = changes[does];
  return deps.db.withTenant(tenantId, async (tx) => {
    const [known] = await tx.select({ state: bulkJobs.state }).from(bulkJobs).where(eq(bulkJobs.id, id)).for('no key update');
    if (known === undefined) return null;
    const allowed = from.some((state) => state === known.state);
    if (allowed) {
      await tx
        .update(bulkJobs)
        .set({ state: to, pausedBecause: null, ...(to === 'cancelled' ? { endedAt: sql`clock_timestamp()` } : { nextAt: sql`clock_timestamp()` }) })
        .where(eq(bulkJobs.id, id));
      await recordAudit(tx, { tenantId, actor, action: `bulk.${does}`, subject: id });
    }
    const view = await read(tx, id);
    return view === null ? null : { view, refused: !allowed };
  });
}

/** @returns null where the store has no such job */
export const readBulk = (deps: Pick<Deps, 'db'>, tenantId: string, id: string): Promise<BulkJobView | null> =>
  deps.db.withTenant(tenantId, (tx) => read(tx, id));

async function read(tx: Tx, id: string): Promise<BulkJobView | null> {
  const [row] = await jobs(tx).where(eq(bulkJobs.id, id));
  return row === undefined ? null : { ...row, refused: (await refusals(tx, [id])).get(id) ?? {} };
}

/** The newest first. */
export async function listBulk(deps: Pick<Deps, 'db'>, tenantId: string, page: PageWanted): Promise<Page<BulkJobView>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const rows = await jobs(tx)
      .where(beyond(bulkJobs.id, 'newest', page))
      .orderBy(byAge(bulkJobs.id, 'newest', page))
      .limit(page.limit + 1);
    const refused = await refusals(
      tx,
      rows.map(({ job }) => job.id),
    );
    const views = rows.map((row) => ({ ...row, refused: refused.get(row.job.id) ?? {} }));
    return pageOf(views, page.limit, ({ job }) => job.id);
  });
}

const jobs = (tx: Tx) =>
  tx
    .select({ job: bulkJobs, slug: sequences.slug, version: sequenceVersions.version })
    .from(bulkJobs)
    .innerJoin(sequences, eq(sequences.id, bulkJobs.sequenceId))
    .innerJoin(sequenceVersions, eq(sequenceVersions.id, bulkJobs.versionId))
    .$dynamic();

async function refusals(tx: Tx, ids: string[]): Promise<Map<string, Record<string, number>>> {
  const rows = await tx
    .select({ jobId: bulkMembers.jobId, reason: bulkMembers.reason, n: sql<number>`count(*)::int` })
    .from(bulkMembers)
    .where(and(sql`${bulkMembers.jobId} = any(${sql.param(ids)}::uuid[])`, isNotNull(bulkMembers.reason)))
    .groupBy(bulkMembers.jobId, bulkMembers.reason)
    .orderBy(bulkMembers.reason);
  const byJob = new Map<string, Record<string, number>>();
  for (const { jobId, reason, n } of rows) byJob.set(jobId, { ...byJob.get(jobId), [reason ?? '']: n });
  return byJob;
}
