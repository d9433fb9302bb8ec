import { type AnyColumn, eq, sql } from 'drizzle-orm';
import { faultOf, type OutboxItem } from '../db/client.ts';
import { enrollments, messages, outbox, tenants } from '../db/schema/index.ts';
import { isUntold, type OutageDrill } from '../domain/drills/outage-drill.ts';
import { compilePlan } from '../domain/sequence/compile-plan.ts';
import type { Deps, WorkflowEngine } from './deps.ts';
import { GivingWay } from './intake/give-way.ts';
import { readProgress } from './dispatch/progress.ts';
import { readRunningDrill } from './drills/running.ts';
import { endOf } from './dispatch/records.ts';
import { kindOf } from './subject-row.ts';
import type { Version } from './dispatch/versions.ts';

export type RelayDeps = Deps & { engine: WorkflowEngine };

const batch = 50;
// Longer than a call to Temporal may take; a process that dies, or a Postgres that was away, delays its rows by no more than this.
const claimMs = 15_000;

/**
 * Send what waits in the outbox to Temporal. The database hands out the first row of each enrollment only, so a `stop` never overtakes
 * its `start`; a row that fails is tried again without end, with back-off. Safe to run in any number of processes.
 * @returns how many rows were taken; a full batch means there may be more. `held`: of those, how many an outage that is practised keeps back
 */
export async function relayOutbox(deps: RelayDeps, mostRows = batch): Promise<{ taken: number; failed: number; held: number }> {
  const items = await deps.db.claimOutbox(mostRows, claimMs);
  const byTenant = new Map<string, OutboxItem[]>();
  for (const item of items) byTenant.set(item.tenantId, [...(byTenant.get(item.tenantId) ?? []), item]);
  const done = await Promise.all([...byTenant].map(([tenantId, theirs]) => relayTenant(deps, tenantId, theirs)));
  return {
    taken: items.length,
    failed: done.reduce((sum, one) => sum + one.failed, 0),
    held: done.reduce((sum, one) => sum + one.held, 0),
  };
}

const probeEveryMs = 1_000;

/**
 * The relay of one process. When nothing in a pass could be sent, Temporal is taken to be away: until something succeeds, only one row a second is
 * tried, however often the relay is kicked. Trying all of them would take Postgres and this process away from the webhooks that go on arriving, and
 * put every row off for longer than Temporal is away. A row that fails for a reason of its own is put off, and the next one is tried.
 * @param isFlooded - whether deliveries arrive faster than they can be applied; Temporal hears of what they did a little later then. A workflow
 *   that starts late loses nothing, and one that is stopped late sends nothing: the end is in Postgres.
 * @returns one pass: whether there may be more to do right away
 */
export function createRelay(deps: RelayDeps, isFlooded: () => boolean = () => false): () => Promise<boolean> {
  const givingWay = new GivingWay(deps.clock, 30_000);
  let askAgainAtMs: number | null = null;
  return async () => {
    if (givingWay.asked(isFlooded())) return false;
    if (askAgainAtMs !== null && deps.clock.monotonicMs() < askAgainAtMs) return false;
    const { taken, failed, held } = await relayOutbox(deps, askAgainAtMs === null ? batch : 1);
    // What a drill keeps back says nothing about Temporal.
    const away = taken > held ? failed === taken - held : askAgainAtMs !== null;
    askAgainAtMs = away ? deps.clock.monotonicMs() + probeEveryMs : null;
    return taken > 0 && !away;
  };
}

// One statement whatever the number: lists of every length would each be planned and kept.
const among = (column: AnyColumn, values: (string | number)[], type: 'bigint' | 'uuid') =>
  sql`${column} = any(${sql.param(values)}::${sql.raw(type)}[])`;

/** Read a batch in one transaction, send it to Temporal at once, delete what was sent in one statement. */
async function relayTenant(deps: RelayDeps, tenantId: string, items: OutboxItem[]): Promise<{ failed: number; held: number }> {
  const results = await readAll(deps, tenantId, items).then(
    (read) => Promise.allSettled(items.map((item) => tell(deps, item, read))),
    (reason: unknown) => items.map(() => ({ status: 'rejected' as const, reason })),
  );
  const told = items.filter((_, index) => results[index]?.status === 'fulfilled');
  if (told.length > 0) {
    const seqs = told.map((item) => item.seq);
    await deps.db.withTenant(tenantId, (tx) => tx.delete(outbox).where(among(outbox.seq, seqs, 'bigint')));
  }
  for (const item of told) deps.telemetry.outboxDone(item.kind, Math.max(0, deps.clock.nowMs() - item.createdAtMs));
  const failed = items.flatMap((item, index) => {
    const result = results[index];
    return result?.status === 'rejected' ? [{ item, error: result.reason as unknown }] : [];
  });
  const held = failed.filter(({ error }) => error instanceof HeldByDrill).length;
  for (const { item, error } of failed.filter(({ error }) => !(error instanceof HeldByDrill)))
    deps.log.warn({ enrollmentId: item.enrollmentId, kind: item.kind, attempts: item.attempts, err: error }, 'Temporal could not be told yet');
  if (failed.length > 0) await putOff(deps, tenantId, failed);
  return { failed: failed.length - held, held };
}

/** While an outage of Temporal is practised, its signals wait until the drill is over. */
class HeldByDrill extends Error {
  constructor() {
    super('an outage of Temporal is practised');
  }
}

interface Read {
  tenant: typeof tenants.$inferSelect;
  enrollments: Map<string, typeof enrollments.$inferSelect>;
  versions: Map<string, Version>;
  /** Of the requests that wrote the rows, by their numbers. */
  requestIds: Map<number, string | null>;
  /** Of those that are to be started. */
  ledger: (typeof messages.$inferSelect)[];
  drill: OutageDrill | null;
}

async function readAll(deps: RelayDeps, tenantId: string, items: OutboxItem[]): Promise<Read> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, tenantId));
    if (tenant === undefined) throw new Error('the tenant does not exist');
    const ids = items.map((item) => item.enrollmentId);
    const found = await tx
      .select()
      .from(enrollments)
      .where(among(enrollments.id, ids, 'uuid'));
    const versions = new Map<string, Version>();
    for (const { versionId } of found) versions.set(versionId, await deps.versions.load(tx, versionId));
    const written = await tx
      .select({ seq: outbox.seq, requestId: outbox.requestId })
      .from(outbox)
      .where(
        among(
          outbox.seq,
          items.map((item) => item.seq),
          'bigint',
        ),
      );
    const requestIds = new Map(written.map(({ seq, requestId }) => [seq, requestId]));
    const starting = items.filter((item) => item.kind === 'start').map((item) => item.enrollmentId);
    const ledger =
      starting.length === 0
        ? []
        : await tx
            .select()
            .from(messages)
            .where(among(messages.enrollmentId, starting, 'uuid'));
    const drill = await readRunningDrill(tx, deps.clock.nowMs());
    return { tenant, enrollments: new Map(found.map((e) => [e.id, e])), versions, requestIds, ledger, drill };
  });
}

async function tell(deps: RelayDeps, item: OutboxItem, read: Read): Promise<void> {
  if (isUntold(read.drill, item.enrollmentId, deps.clock.nowMs())) throw new HeldByDrill();
  const enrollment = read.enrollments.get(item.enrollmentId);
  const version = enrollment === undefined ? undefined : read.versions.get(enrollment.versionId);
  if (enrollment === undefined || version === undefined) return;
  const ref = { tenantSlug: read.tenant.slug, sequence: version.slug, enrollmentId: enrollment.id };
  const requestId = read.requestIds.get(item.seq) ?? null;
  switch (item.kind) {
    case 'start': {
      // The enrollment ended before its workflow was started: start nothing. The stop that follows finds no workflow, which counts as success.
      if (enrollment.endedAt !== null) return;
      const start = {
        ...ref,
        tenantId: item.tenantId,
        subjectKind: kindOf(enrollment),
        subjectId: enrollment.subjectId,
        plan: compilePlan(version.definition, version.version, enrollment.timeScale),
        progress: readProgress(
          enrollment,
          read.ledger.filter((m) => m.enrollmentId === enrollment.id),
        ),
      };
      return deps.engine.start(start, requestId);
    }
    case 'stop':
      return deps.engine.stop(ref, endOf(enrollment) ?? 'manual', requestId);
    case 'wake':
      return deps.engine.wake(ref, requestId);
  }
}

/**
 * Put the rows off, each for longer than the time before.
 * @throws when Postgres is away: the rows come again when their claims are over
 */
async function putOff(deps: RelayDeps, tenantId: string, failed: { item: OutboxItem; error: unknown }[]): Promise<void> {
  const rests = failed.map(({ item, error }) => ({
    seq: item.seq,
    attempts: item.attempts,
    rest_s: Math.min(30, 0.25 * 2 ** Math.min(item.attempts, 10)),
    fault: faultOf(error),
  }));
  const seqs = rests.map(({ seq }) => seq);
  await deps.db.withTenant(tenantId, (tx) =>
    // A row that another process has claimed meanwhile is left to that process.
    tx.execute(sql`
      update ${outbox} set claimed_until = null, next_attempt_at = clock_timestamp() + make_interval(secs => r.rest_s), last_error = r.fault
      from jsonb_to_recordset(${JSON.stringify(rests)}::jsonb) as r(seq bigint, attempts int, rest_s double precision, fault text)
      where ${among(outbox.seq, seqs, 'bigint')} and ${outbox.seq} = r.seq and ${outbox.attempts} = r.attempts`),
  );
}
