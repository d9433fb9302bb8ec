import { eq, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { sequences, sequenceVersions, tenants } from '../../db/schema/index.ts';
import { plannedOffsetsMs, type SequenceDefinition } from '../../domain/sequence/definition.ts';
import { kindOfSequence } from '../../domain/sequence/triggers.ts';
import type { Deps } from '../deps.ts';
import { courseSums } from './course-sums.ts';
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
  /** It waits for an event, so nobody passes it on the way to the others. */
  inserted: boolean;
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
  /** The same by why they ended. */
  exited: Record<string, number>;
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
  /** From the enrollment on. The median is rounded up by at most 3.2 %. */
  secondsToConversion: { conversions: number; mean: number | null; median: number | null };
  /** Ended without converting, before a message went out. */
  droppedBefore: number;
  /** The same by why they ended. */
  exitedBefore: Record<string, number>;
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

/** @param sinceMs - enrollments that began to count since the beginning of that UTC day, epoch milliseconds. @returns null where the tenant has no such sequence */
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
    const of = { tenantId, sequenceId: id, sinceMs };
    const whole = await readWhole(tx, { ...of, kind: kind?.kind ?? 'lead' });
    const versions = await tx
      .select({ id: sequenceVersions.id, definition: sequenceVersions.definition })
      .from(sequenceVersions)
      .where(eq(sequenceVersions.sequenceId, id));
    const exitedBehind = (step: string) => byReason(whole.exited.filter((one) => one.step === step));
    const steps = stepsFrom(await readStepRows(tx, of), definition, new Map(versions.map((v) => [v.id, v.definition])), {
      enrolled: whole.enrolled,
      exitedBehind,
    });
    const medianMinutes = medianOf(whole.won);
    return {
      ...{ leads: whole.leads, enrolledLeads: whole.enrolled_leads, enrolled: whole.enrolled, heldOut: whole.held_out, open: whole.open },
      ...{ completed: whole.completed, converted: whole.converted, exited: byReason(whole.exited), droppedBefore: whole.dropped_before },
      exitedBefore: exitedBehind(''),
      reach: rateOf(whole.enrolled_leads, whole.leads),
      completionRate: rateOf(whole.completed, whole.enrolled),
      conversionRate: rateOf(whole.converted, whole.enrolled),
      revenue: whole.revenue.map(({ currency, minor }) => {
        const amount = majorUnits(minor, currency);
        return { currency, amount, perEnrolled: whole.enrolled === 0 ? 0 : Math.round((Number(amount) / whole.enrolled) * 100) / 100 };
      }),
      secondsToConversion: {
        conversions: whole.converted,
        mean: whole.mean_s === null ? null : Math.round(whole.mean_s * timeScale),
        median: medianMinutes === null ? null : medianMinutes * 60,
      },
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
  mean_s: number | null;
  exited: { step: string; reason: string; n: number }[];
  revenue: { currency: string; minor: number }[];
  won: { minutes: number; n: number }[];
}

/**
 * The enrollments that count, by sums that the database keeps. One converts by the first order that is credited to it and stands, else by its own end. An order that was
 * taken back counts nowhere.
 */
async function readWhole(
  tx: Tx,
  { tenantId, sequenceId, kind, sinceMs }: { tenantId: string; sequenceId: string; kind: string; sinceMs: number },
): Promise<WholeRow> {
  const own = courseSums(tenantId, { topics: ['course', 'won', 'revenue'], sinceMs, sequenceId });
  const { rows } = await tx.execute<WholeRow>(sql`
    with f as materialized (select * from ${own} k)
    select (select coalesce(sum(k.leads), 0)::int from ${courseSums(tenantId, { topics: ['funnel'], sinceMs: 0 })} k where k.subject_kind = ${kind}) as leads,
      coalesce(sum(f.held_out), 0)::int as held_out, coalesce(sum(f.leads), 0)::int as enrolled_leads, coalesce(sum(f.cases), 0)::int as enrolled,
      coalesce(sum(f.still_open), 0)::int as open, coalesce(sum(f.completed), 0)::int as completed, coalesce(sum(f.converted), 0)::int as converted,
      coalesce(sum(f.dropped), 0)::int as dropped_before, (sum(f.amount) / nullif(sum(f.converted), 0) / 1000)::float8 as mean_s,
      coalesce((select json_agg(json_build_object('step', r.step_id, 'reason', r.reason, 'n', r.n)) from (
        select x.step_id, x.reason, sum(x.cases)::int as n from f x where x.topic = 'course' and x.reason <> '' group by 1, 2 having sum(x.cases) <> 0) r), '[]') as exited,
      coalesce((select json_agg(json_build_object('minutes', r.slot, 'n', r.n) order by r.slot) from (
        select x.slot, sum(x.cases)::int as n from f x where x.topic = 'won' group by 1 having sum(x.cases) <> 0) r), '[]') as won,
      coalesce((select json_agg(json_build_object('currency', r.currency, 'minor', r.minor) order by r.currency) from (
        select x.currency, sum(x.amount)::bigint as minor from f x where x.topic = 'revenue' group by 1) r), '[]') as revenue
    from f where f.topic = 'course'`);
  const [row] = rows;
  if (row === undefined) throw new Error('a count has no row');
  return row;
}

async function readStepRows(
  tx: Tx,
  { tenantId, sequenceId, sinceMs }: { tenantId: string; sequenceId: string; sinceMs: number },
): Promise<StepRow[]> {
  const { rows } = await tx.execute<StepRow>(sql`
    select f.step_id, f.version_id, nullif(f.channel, '') as channel, nullif(f.reason, '') as skip_reason,
      sum(f.cases)::int as entered, sum(f.executed)::int as executed, sum(f.failed)::int as failed, sum(f.delivered)::int as delivered, sum(f.opened)::int as opened,
      sum(f.machine_opened)::int as machines, sum(f.clicked)::int as clicked, sum(f.replied)::int as replied, sum(f.answered)::int as answered,
      sum(f.converted)::int as converted, sum(f.dropped)::int as dropped
    from ${courseSums(tenantId, { topics: ['step'], sinceMs, sequenceId })} f
    group by 1, 2, 3, 4 having sum(f.cases) <> 0`);
  return rows.map((row) => ({ ...row, skipped: typeof row['skip_reason'] === 'string' ? { [row['skip_reason']]: row.entered } : {} }));
}

/** The half of them is not longer; null: there are none. Minutes of the tenant’s time, on the grid of `grid_minutes`. */
function medianOf(times: readonly { minutes: number; n: number }[]): number | null {
  const all = times.reduce((sum, { n }) => sum + n, 0);
  let soFar = 0;
  return times.find(({ n }) => (soFar += n) * 2 >= all)?.minutes ?? null;
}

function stepsFrom(
  rows: readonly StepRow[],
  inUse: SequenceDefinition | null,
  versions: ReadonlyMap<string, SequenceDefinition>,
  { enrolled, exitedBehind }: { enrolled: number; exitedBehind: (step: string) => Record<string, number> },
): StepStats[] {
  const order = inUse?.steps.map(({ id }) => id) ?? [];
  const known = [...order, ...new Set(rows.map(({ step_id: step }) => step).filter((step) => !order.includes(step)))];
  const stepOf = (id: string) => [...versions.values()].flatMap(({ steps }) => steps).find((step) => step.id === id);
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
      inserted: (inUse?.steps[places] ?? stepOf(step))?.on !== undefined,
      ...{ step, order: places < 0 ? null : places, entered, executed, converted, dropped, conversionRate },
      exited: exitedBehind(step),
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

/** The most first. */
function byReason(exits: WholeRow['exited']): Record<string, number> {
  const all = exits.reduce<Record<string, number>>((sums, { reason, n }) => added(sums, { [reason]: n }), {});
  return Object.fromEntries(Object.entries(all).toSorted(([, a], [, b]) => b - a));
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
