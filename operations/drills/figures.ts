import { and, eq, gt, gte, isNotNull, isNull, type SQL, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { campaigns, enrollmentEvents, enrollments, messages, sequences, tenants } from '../../db/schema/index.ts';
import { countInto, noWaves, scaledUp, type Waves } from '../../domain/drills/waves.ts';
import { compilePlan } from '../../domain/sequence/compile-plan.ts';
import type { Plan } from '../../domain/sequence/plan.ts';
import type { Interval } from '../../domain/statistics/interval.ts';
import { wilsonInterval } from '../../domain/statistics/proportions.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import type { BuiltDeps } from '../create-deps.ts';
import { readProgress } from '../dispatch/progress.ts';
import { since } from '../read/page.ts';
import type { DrillRow } from './running.ts';

export { hoursAhead, latenessSpansMs } from '../../domain/drills/waves.ts';

/** With more open enrollments than this, so many are looked at, by chance. */
const mostLookedAt = 2_000;
const minuteMs = 60_000;
/** As in `operations/dispatch/pace.ts`: what is later than this is released at the store's rate. */
const overdueMs = 10 * minuteMs;

/** What left in one minute. */
export interface SentInMinute {
  atMs: number;
  onTime: number;
  /** Later than ten minutes: these leave at `catchUpPerMinute` at most. */
  late: number;
}

export interface StoreWaves extends Waves {
  atMs: number;
  /** Enrollments that have not ended. Where fewer were looked at, the counts are estimates. */
  open: number;
  /** Of the last hour, the oldest minute first, without those in which nothing left. */
  sent: SentInMinute[];
  /** By the store's setting; null: no limit. */
  catchUpPerMinute: number | null;
}

/** What the guarantees come to, counted over the last 24 hours. */
export interface LastDay {
  started: number;
  /** By reason: purchased, replied, opted_out … */
  stopped: Record<string, number>;
  sent: number;
  /** Steps that were accepted more than once. Must be 0. */
  sentTwice: number;
  /** Messages that were begun after their sequence had been stopped. Must be 0. */
  sentAfterStop: number;
  /** Of all messages, those whose outcome nobody knows. */
  inDoubt: number;
  /** Steps that were decided for good: sent, failed or left out. */
  processed: number;
  /** Of the steps that were tried with a provider, those that failed. */
  attempts: { failed: number; all: number; interval: Interval | null };
}

type ReadingDeps = Pick<BuiltDeps, 'db' | 'clock' | 'versions'>;

/** What is due and what is late in a store right now. */
export function readWaves(deps: ReadingDeps, tenantId: string): Promise<StoreWaves> {
  const nowMs = deps.clock.nowMs();
  return deps.db.withTenant(tenantId, (tx) =>
    wavesIn(tx, deps, tenantId, { nowMs, sinceMs: nowMs - 60 * minuteMs, share: undefined, expiresBy: null }),
  );
}

export function readLastDay({ db, clock }: Pick<ReadingDeps, 'db' | 'clock'>, tenantId: string): Promise<LastDay> {
  const sinceMs = clock.nowMs() - 24 * 60 * minuteMs;
  return db.withTenant(tenantId, async (tx) => {
    const [begun] = await tx.select({ started: sql<number>`count(*)::int` }).from(enrollments).where(gte(enrollments.activatedAt, sinceMs));
    const ended = await tx
      .select({ reason: enrollments.stopReason, count: sql<number>`count(*)::int` })
      .from(enrollments)
      .where(and(gte(enrollments.endedAt, sinceMs), isNotNull(enrollments.stopReason)))
      .groupBy(enrollments.stopReason);
    const [after] = await tx
      .select({ count: sql<number>`count(*)::int` })
      .from(enrollments)
      .innerJoin(messages, eq(messages.enrollmentId, enrollments.id))
      .where(and(gte(enrollments.endedAt, sinceMs), isNotNull(enrollments.stopReason), gt(messages.claimedAt, enrollments.endedAt)));
    const [sent] = await tx
      .select({
        count: sql<number>`count(*)::int`,
        twice: sql<number>`(count(*) - count(distinct (${enrollmentEvents.enrollmentId}, ${enrollmentEvents.data} ->> 'step')))::int`,
      })
      .from(enrollmentEvents)
      .where(and(since(enrollmentEvents.at, enrollmentEvents.id, sinceMs), eq(enrollmentEvents.type, 'message.sent')));
    const [doubt] = await tx.select({ count: sql<number>`count(*)::int` }).from(messages).where(eq(messages.state, 'unknown'));
    const [decided] = await tx
      .select({
        processed: sql<number>`(count(*) filter (where ${messages.state} <> 'claimed'))::int`,
        tried: sql<number>`(count(*) filter (where ${messages.state} in ('sent', 'unknown', 'failed')))::int`,
        failed: sql<number>`(count(*) filter (where ${messages.state} = 'failed'))::int`,
      })
      .from(messages)
      .where(since(messages.createdAt, messages.id, sinceMs));
    const { processed = 0, tried = 0, failed = 0 } = decided ?? {};
    return {
      processed,
      attempts: { failed, all: tried, interval: wilsonInterval(failed, tried) },
      started: begun?.started ?? 0,
      stopped: Object.fromEntries(ended.map(({ reason, count }) => [reason ?? '', count])),
      sent: sent?.count ?? 0,
      sentTwice: sent?.twice ?? 0,
      sentAfterStop: after?.count ?? 0,
      inDoubt: doubt?.count ?? 0,
    };
  });
}

/** What a drill has done so far to those whom it reaches. */
export interface DrillFigures {
  waves: StoreWaves;
  /** Messages to them that were accepted during the drill, and of those that were due before its end, after it. */
  sentDuring: number;
  released: number;
  /** The most that were released in one minute and were more than ten minutes late. */
  busiestMinute: number;
  /** Steps that were left out since it began because they had become too old. */
  expired: number;
  /** Steps of theirs that were accepted more than once since it began. Must be 0. */
  sentTwice: number;
}

export function readDrillFigures(deps: ReadingDeps, tenantId: string, drill: DrillRow): Promise<DrillFigures> {
  const nowMs = deps.clock.nowMs();
  const endMs = drill.endedAt ?? drill.endsAt;
  return deps.db.withTenant(tenantId, async (tx) => {
    const share = reachedBy(drill);
    const waves = await wavesIn(tx, deps, tenantId, { nowMs, sinceMs: drill.startedAt, share, expiresBy: endMs > nowMs ? endMs : null });
    const at = (ms: number) => sql`${new Date(ms).toISOString()}::timestamptz`;
    const [counted] = await tx
      .select({
        during: sql<number>`count(*) filter (where ${enrollmentEvents.at} < ${at(endMs)})::int`,
        released: sql<number>`count(*) filter (where ${enrollmentEvents.at} >= ${at(endMs)} and ${messages.dueAt} < ${at(endMs)})::int`,
        twice: sql<number>`(count(*) - count(distinct (${enrollmentEvents.enrollmentId}, ${messages.stepId})))::int`,
      })
      .from(enrollmentEvents)
      .innerJoin(enrollments, eq(enrollments.id, enrollmentEvents.enrollmentId))
      .innerJoin(messages, and(eq(messages.enrollmentId, enrollments.id), eq(messages.stepId, sql`${enrollmentEvents.data} ->> 'step'`)))
      .where(and(since(enrollmentEvents.at, enrollmentEvents.id, drill.startedAt), eq(enrollmentEvents.type, 'message.sent'), share));
    const [skipped] = await tx
      .select({ expired: sql<number>`count(*)::int` })
      .from(enrollmentEvents)
      .innerJoin(enrollments, eq(enrollments.id, enrollmentEvents.enrollmentId))
      .where(
        and(
          since(enrollmentEvents.at, enrollmentEvents.id, drill.startedAt),
          eq(enrollmentEvents.type, 'step.skipped'),
          sql`${enrollmentEvents.data} ->> 'reason' = 'too_old'`,
          share,
        ),
      );
    return {
      waves,
      sentDuring: counted?.during ?? 0,
      released: counted?.released ?? 0,
      busiestMinute: Math.max(0, ...waves.sent.filter(({ atMs }) => atMs + minuteMs > endMs).map(({ late }) => late)),
      expired: skipped?.expired ?? 0,
      sentTwice: counted?.twice ?? 0,
    };
  });
}

/** As `reaches` of `domain/drills/outage-drill.ts`. */
const reachedBy = ({ sharePercent }: Pick<DrillRow, 'sharePercent'>): SQL =>
  sql`('x' || right(${enrollments.id}::text, 4))::bit(16)::int * 100 < ${sharePercent}::int * 65536`;

interface Asked {
  nowMs: number;
  /** Since when it is counted what left. */
  sinceMs: number;
  /** Of whom; undefined: everybody. */
  share: SQL | undefined;
  expiresBy: number | null;
}

async function wavesIn(
  tx: Tx,
  { versions }: Pick<ReadingDeps, 'versions'>,
  tenantId: string,
  { nowMs, sinceMs, share, expiresBy }: Asked,
): Promise<StoreWaves> {
  const isOpen = and(isNull(enrollments.endedAt), share);
  const [{ open } = { open: 0 }] = await tx.select({ open: sql<number>`count(*)::int` }).from(enrollments).where(isOpen);
  const rows = await tx
    .select({ enrollment: enrollments, isSequencePaused: sequences.paused, campaignStatus: campaigns.status })
    .from(enrollments)
    .innerJoin(sequences, eq(sequences.id, enrollments.sequenceId))
    .leftJoin(campaigns, eq(campaigns.id, enrollments.campaignId))
    // Ids end in random digits: those below a bound are a sample by chance, whenever they began.
    .where(
      open <= mostLookedAt
        ? isOpen
        : and(isOpen, sql`('x' || substr(${enrollments.id}::text, 25, 6))::bit(24)::int < ${Math.ceil((mostLookedAt / open) * 2 ** 24)}::int`),
    );
  const ids = rows.map(({ enrollment }) => enrollment.id);
  const ledger = await tx
    .select({
      enrollmentId: messages.enrollmentId,
      stepId: messages.stepId,
      state: messages.state,
      skipReason: messages.skipReason,
      refusals: messages.refusals,
      failures: messages.failures,
      refusedForGood: messages.refusedForGood,
      claimedAt: messages.claimedAt,
      settledAt: messages.settledAt,
      openedAt: messages.openedAt,
      clickedAt: messages.clickedAt,
      suspectedOpenAt: messages.suspectedOpenAt,
      suspectedClickAt: messages.suspectedClickAt,
      createdAt: messages.createdAt,
    })
    .from(messages)
    .where(sql`${messages.enrollmentId} = any(${sql.param(ids)}::uuid[])`);
  const settledOf = new Map<string, typeof ledger>();
  for (const row of ledger) settledOf.set(row.enrollmentId, [...(settledOf.get(row.enrollmentId) ?? []), row]);
  const plans = new Map<string, Plan>();
  const waves = noWaves();
  for (const { enrollment, isSequencePaused, campaignStatus } of rows) {
    const key = `${enrollment.versionId} ${enrollment.timeScale}`;
    let plan = plans.get(key);
    if (plan === undefined) {
      const { definition, version } = await versions.load(tx, enrollment.versionId);
      plans.set(key, (plan = compilePlan(definition, version, enrollment.timeScale)));
    }
    const progress = readProgress(enrollment, settledOf.get(enrollment.id) ?? []);
    countInto(waves, { plan, progress, paused: isSequencePaused || campaignStatus === 'PAUSED' }, nowMs, expiresBy);
  }
  const [tenant] = await tx.select({ settings: tenants.settings }).from(tenants).where(eq(tenants.id, tenantId));
  return {
    ...scaledUp(waves, open),
    ...{ atMs: nowMs, open, sent: await sentByMinute(tx, sinceMs, share) },
    catchUpPerMinute: settingsOf(tenant ?? { settings: {} }).catchUpPerMinute,
  };
}

async function sentByMinute(tx: Tx, sinceMs: number, share: SQL | undefined): Promise<SentInMinute[]> {
  const minute = sql<Date>`date_trunc('minute', ${enrollmentEvents.at})`;
  const isLate = sql`${enrollmentEvents.at} - ${messages.dueAt} > make_interval(secs => ${overdueMs / 1_000})`;
  const rows = await tx
    .select({
      atMs: sql<number>`(extract(epoch from ${minute}) * 1000)::float8`,
      all: sql<number>`count(*)::int`,
      late: sql<number>`count(*) filter (where ${isLate})::int`,
    })
    .from(enrollmentEvents)
    .innerJoin(enrollments, eq(enrollments.id, enrollmentEvents.enrollmentId))
    .innerJoin(messages, and(eq(messages.enrollmentId, enrollments.id), eq(messages.stepId, sql`${enrollmentEvents.data} ->> 'step'`)))
    .where(and(since(enrollmentEvents.at, enrollmentEvents.id, sinceMs), eq(enrollmentEvents.type, 'message.sent'), share))
    .groupBy(minute)
    .orderBy(minute);
  return rows.map(({ atMs, all, late }) => ({ atMs, onTime: all - late, late }));
}
