import { eq, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { sequences, sequenceVersions, tenants } from '../../db/schema/index.ts';
import { plannedOffsetsMs, type SequenceDefinition } from '../../domain/sequence/definition.ts';
import { kindOfSequence } from '../../domain/sequence/triggers.ts';
import type { Deps } from '../deps.ts';
import { majorUnits } from './major-units.ts';
import type { Interval } from '../../domain/statistics/interval.ts';
import { wilsonInterval } from '../../domain/statistics/proportions.ts';

/** A share with its counts and how sure we can be of it, from 0 to 1; null: there were no cases. */
export interface Rate {
  count: number;
  of: number;
  rate: number | null;
  interval: Interval | null;
}

export interface StepStats {
  step: string;
  /** Its place in the version in use, counted from 0; null: that has no such step. */
  order: number | null;
  /** Enrollments for which it was decided: sent, skipped, failed or under way. */
  entered: number;
  /** Whose message went out, or may have. */
  executed: number;
  /** Why it was left out. */
  skipped: Record<string, number>;
  failed: number;
  delivered: number;
  opened: number;
  /** Opened by a machine, as far as is known, and by nobody since. */
  openedByMachines: number;
  clicked: number;
  /** Enrollments that a reply ended behind it. */
  replied: number;
  /** Calls. */
  answered: number;
  /** Conversions that came after it and before the next one that went out. */
  converted: number;
  /** Enrollments that ended behind it without converting and before the end. */
  dropped: number;
  executionRate: Rate;
  conversionRate: Rate;
  dropOffRate: Rate;
  /** The conversion rate less the share that had converted before it; null: nobody got it. */
  marginalLift: number | null;
  channels: (Rate & { channel: string })[];
  /** By the delay that its version plans, in seconds after the start. Versions differ in time, so that a difference proves nothing. */
  delays: (Rate & { delaySeconds: number })[];
}

/** What a sequence came to, counted in enrollments that have begun to count and were not held out. */
export interface SequenceStats {
  /** All leads, or whatever it is about, that there are. */
  leads: number;
  enrolledLeads: number;
  enrolled: number;
  heldOut: number;
  open: number;
  completed: number;
  converted: number;
  exited: Record<string, number>;
  reach: Rate;
  completionRate: Rate;
  conversionRate: Rate;
  revenue: { currency: string; amount: string; perEnrolled: number }[];
  /** From the enrollment on. */
  secondsToConversion: { conversions: number; mean: number | null; median: number | null };
  /** Ended without converting, before a message went out. */
  droppedBefore: number;
  steps: StepStats[];
  /** Where most are lost; null: nobody is. */
  largestDropOff: { step: string; rate: number; advice: string } | null;
}

interface StepRow extends Record<string, unknown> {
  step_id: string;
  version_id: string;
  channel: string | null;
  entered: number;
  executed: number;
  failed: number;
  delivered: number;
  opened: number;
  machines: number;
  clicked: number;
  replied: number;
  answered: number;
  converted: number;
  dropped: number;
  skipped: Record<string, number>;
}

/** @param sinceMs - enrollments since then, epoch milliseconds. @returns null where the tenant has no such sequence */
export function readSequenceStats(
  deps: Pick<Deps, 'db' | 'subjects'>,
  tenantId: string,
  slug: string,
  sinceMs: number,
): Promise<SequenceStats | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [found] = await tx
      .select({ id: sequences.id, definition: sequenceVersions.definition, timeScale: tenants.timeScale })
      .from(sequences)
      .innerJoin(tenants, eq(tenants.id, sequences.tenantId))
      .leftJoin(sequenceVersions, eq(sequenceVersions.id, sequences.currentVersionId))
      .where(eq(sequences.slug, slug));
    if (found === undefined) return null;
    const { id, definition, timeScale } = found;
    const kind = definition === null ? null : kindOfSequence(deps.subjects, definition);
    const since = new Date(sinceMs).toISOString();
    const whole = await readWhole(tx, id, kind?.kind ?? 'lead', since);
    const versions = await tx
      .select({ id: sequenceVersions.id, definition: sequenceVersions.definition })
      .from(sequenceVersions)
      .where(eq(sequenceVersions.sequenceId, id));
    const steps = stepsFrom(await readStepRows(tx, id, since), definition, new Map(versions.map((v) => [v.id, v.definition])), whole.enrolled);
    const seconds = (value: number | null) => (value === null ? null : Math.round(value * timeScale));
    return {
      ...{ leads: whole.leads, enrolledLeads: whole.enrolled_leads, enrolled: whole.enrolled, heldOut: whole.held_out, open: whole.open },
      ...{ completed: whole.completed, converted: whole.converted, exited: whole.exited, droppedBefore: whole.dropped_before },
      reach: rateOf(whole.enrolled_leads, whole.leads),
      completionRate: rateOf(whole.completed, whole.enrolled),
      conversionRate: rateOf(whole.converted, whole.enrolled),
      revenue: whole.revenue.map(({ currency, minor }) => {
        const amount = majorUnits(minor, currency);
        return { currency, amount, perEnrolled: whole.enrolled === 0 ? 0 : Math.round((Number(amount) / whole.enrolled) * 100) / 100 };
      }),
      secondsToConversion: { conversions: whole.timed, mean: seconds(whole.mean_s), median: seconds(whole.median_s) },
      steps,
      largestDropOff: largestOf(steps),
    };
  });
}

interface WholeRow extends Record<string, unknown> {
  leads: number;
  enrolled_leads: number;
  enrolled: number;
  held_out: number;
  open: number;
  completed: number;
  converted: number;
  dropped_before: number;
  timed: number;
  mean_s: number | null;
  median_s: number | null;
  exited: Record<string, number>;
  revenue: { currency: string; minor: number }[];
}

/**
 * The enrollments that count, and when each converted: by the first order that is credited to it and stands, else by its own end. An order that was
 * taken back counts nowhere.
 */
const counted = (sequenceId: string, since: string) => sql`
  every_one as (
    select e.id, e.subject_id, e.version_id, e.status, e.stop_reason, e.enrolled_at, e.ended_at, o.placed_at, o.credited
    from enrollments e
      left join lateral (
        select min(c.placed_at) filter (where c.reversed_at is null) as placed_at, count(*) as credited
        from conversions c where c.enrollment_id = e.id and c.no_revenue is null) o on true
    where e.sequence_id = ${sequenceId} and e.activated_at is not null and e.enrolled_at >= ${since}::timestamptz),
  e as (
    select x.*, coalesce(x.placed_at, case when x.status = 'CONVERTED' and x.credited = 0 then x.ended_at end) as converted_at
    from every_one x where x.stop_reason is distinct from 'holdout'),
  m as (
    select m.*, coalesce(m.settled_at, m.claimed_at, m.created_at) as at,
      m.state in ('sent', 'unknown') or (m.state = 'claimed' and m.live) as went_out
    from e join messages m on m.enrollment_id = e.id
    where m.skip_reason is distinct from 'stopped'),
  -- Behind which message an enrollment converted, and behind which it ended. In one pass: asked for each enrollment, all messages would be read as often.
  behind as (
    select e.id,
      (array_agg(k.step_id order by k.at desc, k.id desc) filter (where k.at <= e.converted_at))[1] as won_by,
      (array_agg(k.step_id order by k.at desc, k.id desc) filter (where k.id is not null))[1] as last_step
    from e left join m k on k.enrollment_id = e.id and k.went_out group by e.id)`;

async function readWhole(tx: Tx, sequenceId: string, kind: string, since: string): Promise<WholeRow> {
  const { rows } = await tx.execute<WholeRow>(sql`
    with ${counted(sequenceId, since)}
    select (select count(*)::int from subjects s where s.kind = ${kind}) as leads,
      (select count(*)::int from every_one x where x.stop_reason = 'holdout') as held_out,
      count(distinct e.subject_id)::int as enrolled_leads, count(*)::int as enrolled,
      (count(*) filter (where e.ended_at is null))::int as open, (count(*) filter (where e.status = 'COMPLETED'))::int as completed,
      count(e.converted_at)::int as converted,
      (count(*) filter (where e.status = 'EXITED' and e.converted_at is null and b.last_step is null))::int as dropped_before,
      count(e.converted_at)::int as timed,
      avg(extract(epoch from e.converted_at - e.enrolled_at))::double precision as mean_s,
      (percentile_cont(0.5) within group (order by extract(epoch from e.converted_at - e.enrolled_at)::double precision)
        filter (where e.converted_at is not null)) as median_s,
      coalesce((select json_object_agg(r.reason, r.n) from (
        select coalesce(x.stop_reason, 'unknown') as reason, count(*)::int as n from e x where x.status = 'EXITED' and x.converted_at is null group by 1) r), '{}') as exited,
      coalesce((select json_agg(json_build_object('currency', r.currency, 'minor', r.minor) order by r.currency) from (
        select f.currency, sum(f.net_minor)::bigint as minor
        from e x join conversions c on c.enrollment_id = x.id cross join lateral figures_of_order(c) f
        where f.currency <> '' group by 1) r), '[]') as revenue
    from e join behind b on b.id = e.id`);
  const [row] = rows;
  if (row === undefined) throw new Error('a count has no row');
  return row;
}

async function readStepRows(tx: Tx, sequenceId: string, since: string): Promise<StepRow[]> {
  const { rows } = await tx.execute<StepRow>(sql`
    with ${counted(sequenceId, since)},
    told as (
      select m.id, bool_or(v.type = 'delivered') as delivered, bool_or(v.type = 'opened' and v.machine) as machine
      from m join message_events v on v.message_id = m.id group by m.id)
    select m.step_id, e.version_id, case when m.went_out then m.channel end as channel,
      count(*)::int as entered, (count(*) filter (where m.went_out))::int as executed, (count(*) filter (where m.state = 'failed'))::int as failed,
      (count(*) filter (where t.delivered))::int as delivered, count(m.opened_at)::int as opened,
      (count(*) filter (where m.opened_at is null and (m.suspected_open_at is not null or t.machine)))::int as machines,
      count(m.clicked_at)::int as clicked,
      (count(*) filter (where e.stop_reason = 'replied' and b.last_step = m.step_id))::int as replied,
      (count(*) filter (where c.outcome = 'answered'))::int as answered,
      (count(*) filter (where b.won_by = m.step_id and m.went_out))::int as converted,
      (count(*) filter (where e.status = 'EXITED' and e.converted_at is null and b.last_step = m.step_id and m.went_out))::int as dropped,
      m.skip_reason
    from m join e on e.id = m.enrollment_id join behind b on b.id = e.id
      left join told t on t.id = m.id left join calls c on c.message_id = m.id
    group by 1, 2, 3, m.skip_reason`);
  return rows.map((row) => ({ ...row, skipped: typeof row['skip_reason'] === 'string' ? { [row['skip_reason']]: row.entered } : {} }));
}

function stepsFrom(
  rows: readonly StepRow[],
  inUse: SequenceDefinition | null,
  versions: ReadonlyMap<string, SequenceDefinition>,
  enrolled: number,
): StepStats[] {
  const order = inUse?.steps.map(({ id }) => id) ?? [];
  const known = [...order, ...new Set(rows.map(({ step_id: step }) => step).filter((step) => !order.includes(step)))];
  let convertedBefore = 0;
  return known.map((step): StepStats => {
    const own = rows.filter((row) => row.step_id === step);
    const sum = (of: (row: StepRow) => number, among = own) => among.reduce((total, row) => total + of(row), 0);
    const [entered, executed, converted, dropped] = [sum((r) => r.entered), sum((r) => r.executed), sum((r) => r.converted), sum((r) => r.dropped)];
    const conversionRate = rateOf(converted, executed);
    const before = enrolled === 0 ? 0 : convertedBefore / enrolled;
    convertedBefore += converted;
    const places = order.indexOf(step);
    const grouped = <K>(keyOf: (row: StepRow) => K | null) => {
      const groups = new Map<K, StepRow[]>();
      for (const row of own) {
        const key = row.executed === 0 ? null : keyOf(row);
        if (key !== null) groups.set(key, [...(groups.get(key) ?? []), row]);
      }
      return [...groups].map(([key, among]) => ({
        key,
        ...rateOf(
          sum((r) => r.converted, among),
          sum((r) => r.executed, among),
        ),
      }));
    };
    return {
      ...{ step, order: places < 0 ? null : places, entered, executed, converted, dropped, conversionRate },
      skipped: own.reduce<Record<string, number>>((all, { skipped }) => added(all, skipped), {}),
      ...{ failed: sum((r) => r.failed), delivered: sum((r) => r.delivered), opened: sum((r) => r.opened) },
      ...{
        openedByMachines: sum((r) => r.machines),
        clicked: sum((r) => r.clicked),
        replied: sum((r) => r.replied),
        answered: sum((r) => r.answered),
      },
      executionRate: rateOf(executed, entered),
      dropOffRate: rateOf(dropped, executed),
      marginalLift: conversionRate.rate === null ? null : conversionRate.rate - before,
      channels: grouped((row) => row.channel).map(({ key: channel, ...rate }) => ({ channel, ...rate })),
      delays: grouped((row) => delayOf(versions.get(row.version_id), step))
        .map(({ key: delaySeconds, ...rate }) => ({ delaySeconds, ...rate }))
        .toSorted((a, b) => a.delaySeconds - b.delaySeconds),
    };
  });
}

function delayOf(definition: SequenceDefinition | undefined, step: string): number | null {
  const offsetMs = definition === undefined ? undefined : plannedOffsetsMs(definition.steps)[definition.steps.findIndex(({ id }) => id === step)];
  return offsetMs === undefined ? null : offsetMs / 1_000;
}

function added(all: Record<string, number>, more: Record<string, number>): Record<string, number> {
  return Object.entries(more).reduce((sums, [name, n]) => ({ ...sums, [name]: (sums[name] ?? 0) + n }), all);
}

function rateOf(count: number, of: number): Rate {
  return { count, of, rate: of === 0 ? null : count / of, interval: of === 0 ? null : wilsonInterval(count, of) };
}

/** Fewer are chance. */
const fewest = 20;

/** Advice, and no result: where most are lost, and what is tried there first. */
function largestOf(steps: readonly StepStats[]): SequenceStats['largestDropOff'] {
  const [worst] = steps
    .filter(({ dropped, executed }) => dropped > 0 && executed >= fewest)
    .toSorted((a, b) => (b.dropOffRate.rate ?? 0) - (a.dropOffRate.rate ?? 0));
  if (worst === undefined) return null;
  const isLate = worst.order !== null && worst.order >= 3;
  const isEmail = worst.channels.some(({ channel }) => channel === 'email');
  const advice = isLate
    ? 'The sequence may be too long: try it without what comes from here on.'
    : isEmail
      ? 'Try a text message in its place.'
      : 'Try another delay or another hour.';
  return { step: worst.step, rate: worst.dropOffRate.rate ?? 0, advice };
}
