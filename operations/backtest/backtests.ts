import { createHash } from 'node:crypto';
import { and, eq, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { backtests, sequences, sequenceVersions } from '../../db/schema/index.ts';
import { parseSequence } from '../../domain/sequence/parse-sequence.ts';
import { describeFileErrors } from '../../domain/yaml-file.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted } from '../read/page.ts';
import { type BacktestDeps, runBacktest, type Tried } from './run-backtest.ts';

export type StoredBacktest = typeof backtests.$inferSelect;

export interface BacktestWish {
  tenantId: string;
  /** A sequence of the store by its slug, in this version (null: the one in use), or the text of a file. */
  what: { slug: string; version: number | null } | { yaml: string };
  days: number;
  prices: Record<string, number> | null;
  actor: string;
}

export type BacktestBegun =
  | { kind: 'begun'; backtest: StoredBacktest }
  | { kind: 'unknown_sequence' }
  /** The file has mistakes. */
  | { kind: 'invalid'; detail: string }
  /** One at a time: it takes a whole processor. */
  | { kind: 'running'; id: string };

/** A process that has not said for so long how far it is has ended. */
const silentAfterMs = 30_000;
const sayEveryMs = 1_000;

/** What is about to be run. */
interface Chosen extends Tried {
  versionId: string | null;
  sourceHash: string;
}

/**
 * Begin a backtest. It runs on in this process, beside its other work; `readBacktest` says how far it is, and what came of it.
 * @param signal - ends it, when the process ends
 */
export async function beginBacktest(deps: Deps, wish: BacktestWish, signal: AbortSignal): Promise<BacktestBegun> {
  const chosen = await choose(deps, wish);
  if ('kind' in chosen) return chosen;
  const { tenantId, days, actor } = wish;
  const slug = chosen.definition.sequence;
  const row = {
    tenantId,
    id: uuidv7(),
    slug,
    versionId: chosen.versionId,
    version: chosen.versionId === null ? null : chosen.version,
    sourceHash: chosen.sourceHash,
    days,
    requestedBy: actor,
  };
  const begun = await deps.db.withTenant(tenantId, async (tx): Promise<BacktestBegun> => {
    // One of two that are asked for at once waits here for the other.
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`${tenantId} backtest`}, 0))`);
    const [running] = await tx
      .select({ id: backtests.id })
      .from(backtests)
      .where(and(eq(backtests.state, 'running'), sql`progress_at > clock_timestamp() - make_interval(secs => ${silentAfterMs / 1_000})`))
      .limit(1);
    if (running !== undefined) return { kind: 'running', id: running.id };
    const [backtest] = await tx.insert(backtests).values(row).returning();
    if (backtest === undefined) throw new Error('a backtest was not stored');
    await recordAudit(tx, { tenantId, actor, action: 'backtest.start', subject: row.id, data: { sequence: slug, version: row.version, days } });
    return { kind: 'begun', backtest };
  });
  if (begun.kind === 'begun') void runAndStore(deps, wish, chosen, row.id, signal);
  return begun;
}

async function choose(deps: Pick<Deps, 'db' | 'subjects'>, { tenantId, what }: BacktestWish): Promise<Chosen | BacktestBegun> {
  if ('yaml' in what) {
    const parsed = parseSequence(what.yaml, deps.subjects);
    if (!parsed.ok) return { kind: 'invalid', detail: describeFileErrors('the file', parsed.errors) };
    const { definition } = parsed;
    const sourceHash = createHash('sha256').update(JSON.stringify({ definition })).digest('hex');
    return { versionId: null, version: 1, definition, content: null, sourceHash };
  }
  const wanted = what.version === null ? eq(sequenceVersions.id, sequences.currentVersionId) : eq(sequenceVersions.version, what.version);
  const [found] = await deps.db.withTenant(tenantId, (tx) =>
    tx
      .select({ version: sequenceVersions })
      .from(sequences)
      .innerJoin(sequenceVersions, and(eq(sequenceVersions.sequenceId, sequences.id), wanted))
      .where(eq(sequences.slug, what.slug)),
  );
  if (found === undefined) return { kind: 'unknown_sequence' };
  const { id: versionId, version, definition, content, sourceHash } = found.version;
  return { versionId, version, definition, content, sourceHash };
}

async function runAndStore(
  deps: BacktestDeps,
  { tenantId, days, prices }: BacktestWish,
  tried: Tried,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  const store = (change: Partial<Pick<StoredBacktest, 'state' | 'progress' | 'report' | 'error'>>) =>
    deps.db.withTenant(tenantId, (tx) =>
      tx
        .update(backtests)
        .set({ ...change, progressAt: sql`clock_timestamp()`, ...(change.state === undefined ? {} : { endedAt: sql`clock_timestamp()` }) })
        .where(and(eq(backtests.id, id), eq(backtests.state, 'running'))),
    );
  let progress = 0;
  // By the clock, not by what was done: reading the history takes a while before the first person is run.
  const says = setInterval(() => {
    store({ progress }).catch((error: unknown) => deps.log.warn({ backtest: id, err: error }, 'the progress of a backtest is not stored'));
  }, sayEveryMs);
  try {
    const report = await runBacktest(deps, { tenantId, tried, days, prices, signal, onProgress: (done) => (progress = done) });
    clearInterval(says);
    await store({ state: 'done', progress: 1, report });
  } catch (error) {
    clearInterval(says);
    deps.log.error({ backtest: id, err: error }, 'a backtest failed');
    const why = signal.aborted ? 'The process that ran it was ended: begin it again.' : 'It failed; the log of the API says why.';
    await store({ state: 'failed', error: why }).catch(() => undefined);
  }
}

/** @returns null where the store has no such backtest */
export async function readBacktest(deps: Pick<Deps, 'db'>, tenantId: string, id: string): Promise<StoredBacktest | null> {
  const [row] = await deps.db.withTenant(tenantId, (tx) => tx.select(columns).from(backtests).where(eq(backtests.id, id)));
  return row === undefined ? null : asItStands(row);
}

/** The newest first. */
export async function listBacktests(deps: Pick<Deps, 'db'>, tenantId: string, page: PageWanted): Promise<Page<StoredBacktest>> {
  const rows = await deps.db.withTenant(tenantId, (tx) =>
    tx
      .select(columns)
      .from(backtests)
      .where(beyond(backtests.id, 'newest', page))
      .orderBy(byAge(backtests.id, 'newest', page))
      .limit(page.limit + 1),
  );
  return pageOf(rows.map(asItStands), page.limit, ({ id }) => id);
}

const columns = { row: backtests, silent: sql<boolean>`progress_at < clock_timestamp() - make_interval(secs => ${silentAfterMs / 1_000})` };

/** One whose process has ended without a word counts as failed. */
function asItStands({ row, silent }: { row: StoredBacktest; silent: boolean }): StoredBacktest {
  return row.state === 'running' && silent ? { ...row, state: 'failed', error: 'The process that ran it has ended: begin it again.' } : row;
}
