import { eq, sql } from 'drizzle-orm';
import { tenants } from '../../db/schema/index.ts';
import type { DeferReason, HoldReason, SkipReason, StopReason } from '../../domain/sequence/plan.ts';
import { tenantSettings } from '../../domain/tenant-settings.ts';
import type { BuiltDeps } from '../create-deps.ts';
import { wordsForDefer, wordsForHold, wordsForNoSequence, wordsForSkip, wordsForStop } from './words.ts';

/**
 * What a reason means for the store. `normal_wait`: the message goes out later by itself. `as_planned`: it is left out, because the sequence says so
 * or the person has decided. `blocker`: something is in the way that somebody can remove.
 */
export type ReasonKind = 'normal_wait' | 'as_planned' | 'blocker';

const deferKinds: Record<DeferReason, ReasonKind> = {
  due: 'normal_wait',
  activity: 'normal_wait',
  active_now: 'normal_wait',
  quiet_hours: 'normal_wait',
  legal_hours: 'normal_wait',
  blackout: 'normal_wait',
  send_window: 'normal_wait',
  campaign_schedule: 'normal_wait',
  best_hour: 'normal_wait',
  variant_time: 'normal_wait',
  gap: 'normal_wait',
  cap: 'normal_wait',
  turn: 'normal_wait',
  rate: 'normal_wait',
  approval: 'normal_wait',
  offer_code: 'blocker',
  send_failed: 'blocker',
};

const holdKinds: Record<HoldReason, ReasonKind> = {
  paused: 'blocker',
  takeover: 'normal_wait',
  sequence_paused: 'blocker',
  campaign_paused: 'blocker',
};

const skipKinds: Record<SkipReason, ReasonKind> = {
  too_old: 'blocker',
  capped: 'blocker',
  rate: 'blocker',
  condition: 'as_planned',
  claim: 'as_planned',
  no_address: 'blocker',
  no_consent: 'blocker',
  no_offer: 'as_planned',
  outside_window: 'as_planned',
  consent_required: 'blocker',
  consent_expired: 'blocker',
  suppressed: 'blocker',
  not_connected: 'blocker',
  refused: 'blocker',
  silent: 'as_planned',
  skipped_by_hand: 'as_planned',
  passed: 'as_planned',
  stopped: 'as_planned',
};

const stopKinds: Record<StopReason, ReasonKind> = {
  purchased: 'as_planned',
  purchased_elsewhere: 'as_planned',
  superseded: 'as_planned',
  not_abandoned: 'as_planned',
  order_void: 'as_planned',
  replied: 'as_planned',
  contacted: 'as_planned',
  opted_out: 'as_planned',
  rejected: 'as_planned',
  holdout: 'as_planned',
  undeliverable: 'blocker',
  expired: 'blocker',
  filtered: 'as_planned',
  emptied: 'as_planned',
  cart_deleted: 'as_planned',
  manual: 'as_planned',
  cancelled: 'blocker',
  terminated: 'blocker',
  erased: 'as_planned',
  merged: 'as_planned',
  demo_restarted: 'as_planned',
  version_replaced: 'as_planned',
  sequence_ended: 'as_planned',
  campaign_ended: 'as_planned',
  recovered: 'as_planned',
  band_raised: 'as_planned',
};

type NotSentVerdict = 'defer' | 'hold' | 'skip' | 'stop';
type About = Parameters<typeof wordsForStop>[0];

const kindsByVerdict: Record<NotSentVerdict, Readonly<Record<string, ReasonKind>>> = {
  defer: deferKinds,
  hold: holdKinds,
  skip: skipKinds,
  stop: stopKinds,
};

/** A reason of a later version counts as a blocker: it is shown where people look first. */
export function kindOfReason(verdict: NotSentVerdict, reason: string): ReasonKind {
  const kinds = kindsByVerdict[verdict];
  return (Object.hasOwn(kinds, reason) ? kinds[reason] : undefined) ?? 'blocker';
}

/** Why messages were not sent, as a sentence about many of them. */
export function reasonSentence(about: About, verdict: NotSentVerdict, reason: string): string {
  switch (verdict) {
    case 'defer':
      return `Put off: ${wordsForDefer(about, reason)}.`;
    case 'hold':
      return `Waiting until the sequence is resumed: ${wordsForHold(reason)}.`;
    case 'skip':
      return `Left out: ${wordsForSkip(about, reason)}.`;
    case 'stop':
      return `The sequence ended before: ${wordsForStop(about, reason)}.`;
  }
}

/** So many messages of one sequence and channel were not sent on one day, for one reason. */
export interface NotSent {
  /** `2026-03-10`, on the store's clock. */
  day: string;
  sequence: string;
  /** The chosen channel, else the first of the step's. */
  channel: string;
  subjectKind: string;
  kind: ReasonKind;
  verdict: NotSentVerdict;
  reason: string;
  sentence: string;
  /** Messages, each once a day and reason, however often it was decided about. */
  count: number;
}

export interface NotSentSummary {
  fromMs: number;
  toMs: number;
  timeZone: string;
  rows: NotSent[];
  /** What nothing was begun about, by what kept it. */
  notBegun: NotBegun[];
}

/** So many subjects that were first reported on one day have no sequence, for one reason. */
export interface NotBegun {
  day: string;
  subjectKind: string;
  /** null: no sequence could begin. */
  sequence: string | null;
  reason: string;
  sentence: string;
  count: number;
}

export interface SummaryQuery {
  days: number;
  sequence: string | null;
  channel: string | null;
}

const dayMs = 24 * 3_600_000;
/** How far the clocks of a worker, which makes ids, and of Postgres may be apart. */
const clockSlackMs = 3_600_000;

/** The least UUIDv7 of an instant: rows are found by their ids, which grow with time. */
function leastId(atMs: number): string {
  const hex = Math.max(0, Math.floor(atMs)).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

/**
 * Why messages were not sent: what the dispatch put off, held and left out, and the steps that were still to come when something ended their sequence.
 * Newest day first, the most frequent reason first.
 */
export function whyNotSent(
  deps: Pick<BuiltDeps, 'db' | 'clock' | 'subjects'>,
  tenantId: string,
  { days, sequence, channel }: SummaryQuery,
): Promise<NotSentSummary> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [tenant] = await tx.select({ settings: tenants.settings }).from(tenants).where(eq(tenants.id, tenantId));
    const { timeZone } = tenantSettings.parse(tenant?.settings ?? {});
    const toMs = deps.clock.nowMs();
    const fromMs = toMs - days * dayMs;
    const from = new Date(fromMs).toISOString();
    const fromId = leastId(fromMs - clockSlackMs);
    const { rows } = await tx.execute<{
      day: string;
      sequence: string;
      channel: string;
      subject_kind: string;
      verdict: NotSentVerdict;
      reason: string;
      count: number;
    }>(sql`
      with decided as (
        select d.enrollment_id, d.step_id, d.version_id, d.verdict, d.at,
          -- A step that waits for its next attempt is due later, as far as the gates are concerned.
          case when d.reason = 'due' and exists (
            select 1 from jsonb_array_elements(d.checks) c where c ->> 'gate' = 'due' and (c -> 'input' ->> 'failures')::int > 0)
            then 'send_failed' else d.reason end as reason,
          (select i.key from jsonb_array_elements(d.checks) c cross join lateral jsonb_each_text(c -> 'input') i
           where c ->> 'gate' = 'channel' and i.value = 'chosen' limit 1) as chosen
        from decisions d where d.id >= ${fromId}::uuid and d.at >= ${from}::timestamptz and d.verdict <> 'send'
      ), not_sent as (
        select d.enrollment_id, d.step_id, d.verdict, d.reason, d.at, e.subject_kind, v.sequence_id,
          coalesce(d.chosen, (select s -> 'channels' ->> 0 from jsonb_array_elements(v.definition -> 'steps') s where s ->> 'id' = d.step_id limit 1)) as channel
        from decided d
          join enrollments e on e.id = d.enrollment_id
          join sequence_versions v on v.id = d.version_id
        union all
        -- What a purchase, a reply or a stop by hand ended: the steps that nothing was decided about.
        select e.id, s ->> 'id', 'stop', coalesce(e.stop_reason, 'manual'), n.at, e.subject_kind, v.sequence_id, s -> 'channels' ->> 0
        from enrollment_events n
          join enrollments e on e.id = n.enrollment_id
          join sequence_versions v on v.id = e.version_id
          cross join lateral jsonb_array_elements(v.definition -> 'steps') s
        where n.id >= ${fromId}::uuid and n.at >= ${from}::timestamptz and n.type = 'stopped'
          and not exists (select 1 from messages m where m.enrollment_id = e.id and m.step_id = s ->> 'id')
      )
      select to_char(n.at at time zone ${timeZone}, 'YYYY-MM-DD') as day, q.slug as sequence, coalesce(n.channel, 'none') as channel,
        coalesce(n.subject_kind, 'cart') as subject_kind, n.verdict, n.reason, count(distinct (n.enrollment_id, n.step_id))::int as count
      from not_sent n join sequences q on q.id = n.sequence_id
      where (${sequence}::text is null or q.slug = ${sequence}) and (${channel}::text is null or coalesce(n.channel, 'none') = ${channel})
      group by 1, 2, 3, 4, 5, 6 order by 1 desc, 7 desc, 2, 3, 4, 5, 6`);
    const quiet = await tx.execute<{
      day: string;
      subject_kind: string;
      sequence: string | null;
      reason: string;
      detail: string | null;
      count: number;
    }>(sql`
      select to_char(s.created_at at time zone ${timeZone}, 'YYYY-MM-DD') as day, s.kind as subject_kind, k ->> 'sequence' as sequence,
        k ->> 'reason' as reason, k ->> 'detail' as detail, count(*)::int as count
      from subjects s cross join lateral jsonb_array_elements(s.no_sequence -> 'keptFrom') k
      where s.id >= ${fromId}::uuid and s.created_at >= ${from}::timestamptz and s.no_sequence is not null
        and (${sequence}::text is null or k ->> 'sequence' is null or k ->> 'sequence' = ${sequence})
      group by 1, 2, 3, 4, 5 order by 1 desc, 6 desc, 2, 3, 4, 5`);
    return {
      fromMs,
      toMs,
      timeZone,
      notBegun: quiet.rows.map(({ subject_kind: subjectKind, detail, ...r }) => {
        const { words } = deps.subjects.of(subjectKind);
        const why = wordsForNoSequence(words, r.reason, detail);
        return { ...r, subjectKind, sentence: `No sequence was begun about a ${words.noun}: ${why}.` };
      }),
      rows: rows.map((r) => ({
        day: r.day,
        sequence: r.sequence,
        channel: r.channel,
        subjectKind: r.subject_kind,
        kind: kindOfReason(r.verdict, r.reason),
        verdict: r.verdict,
        reason: r.reason,
        sentence: reasonSentence(deps.subjects.of(r.subject_kind).words, r.verdict, r.reason),
        count: r.count,
      })),
    };
  });
}

/** A reason over all days, sequences and channels. */
export type ReasonTotal = Pick<NotSent, 'kind' | 'verdict' | 'reason' | 'subjectKind' | 'sentence' | 'count'>;

const rank: Record<ReasonKind, number> = { blocker: 0, normal_wait: 1, as_planned: 2 };

/** The same, added up: what is in the way first, the most frequent first. A message that waited on two days counts on both. */
export function totalsOf(rows: readonly NotSent[]): ReasonTotal[] {
  const totals = new Map<string, ReasonTotal>();
  for (const { kind, verdict, reason, subjectKind, sentence, count } of rows) {
    const key = `${subjectKind} ${verdict} ${reason}`;
    const known = totals.get(key);
    totals.set(key, { kind, verdict, reason, subjectKind, sentence, count: count + (known?.count ?? 0) });
  }
  return [...totals.values()].sort((a, b) => rank[a.kind] - rank[b.kind] || b.count - a.count);
}
