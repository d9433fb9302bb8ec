import { eq, sql } from 'drizzle-orm';
import { sequences, tenants } from '../../db/schema/index.ts';
import { competingRisks, type Incidence, incidenceInterval, restrictedMean } from '../../domain/statistics/competing-risks.ts';
import type { Interval } from '../../domain/statistics/interval.ts';
import { gridMinutes } from '../../domain/statistics/time-grid.ts';
import type { Deps } from '../deps.ts';
import { courseSums } from './course-sums.ts';

/** The share that one end has come to. */
export interface End {
  /** `converted`, or the reason why it stopped. */
  cause: string;
  people: number;
  share: number;
  interval: Interval | null;
}

/**
 * What became of the enrollments of a sequence, and when. Times are in the tenant's time, in seconds from the activation, on a grid: rounded up by at most 3.2 %.
 */
export interface SequenceOutcomes {
  enrolled: number;
  ends: End[];
  /** The share without an end; null: nobody was enrolled. */
  free: number | null;
  /** How long an enrollment goes without an end, on average within `horizonSeconds`; null: nobody has ended. */
  meanFreeSeconds: number | null;
  horizonSeconds: number;
  /** Of those who have converted: by when so many of them had, with all others counted for as long as they were watched. */
  timeToConversion: { quantile: number; seconds: number }[];
  /** Those who have converted, by the last message that went out before, the one behind which most did first. */
  bySteps: ConvertedBehind[];
  /** The course of it, at most one point for each hour; none where fewer than ten are still watched. */
  curve: { seconds: number; atRisk: number; free: number; ended: Record<string, number> }[];
  /** Whether points were left out at the end, because too few were still watched. */
  tailHidden: boolean;
}

export interface ConvertedBehind {
  /** null: before any message went out. */
  step: string | null;
  conversions: number;
  /** From the enrollment, in seconds of the tenant's time: by when so many of these had converted. */
  timeToConversion: { quantile: number; seconds: number }[];
  /** Net amounts of the orders that are credited to the sequence. */
  revenue: { currency: string; minor: number }[];
}

const quantiles = [0.1, 0.25, 0.5, 0.75, 0.9];
/** Below that the end of the curve is chance. */
const fewestWatched = 10;
const hourSeconds = 3_600;

/**
 * An enrollment ends by its conversion or by the exit that came first. Whoever has had every message may still convert: that is no end.
 * @param sinceMs - activations since the beginning of that UTC day, epoch milliseconds. @returns null where the tenant has no such sequence
 */
export function readSequenceOutcomes(
  deps: Pick<Deps, 'db' | 'clock'>,
  tenantId: string,
  slug: string,
  sinceMs: number,
): Promise<SequenceOutcomes | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [found] = await tx
      .select({ id: sequences.id, timeScale: tenants.timeScale })
      .from(sequences)
      .innerJoin(tenants, eq(tenants.id, sequences.tenantId))
      .where(eq(sequences.slug, slug));
    if (found === undefined) return null;
    const nowMs = deps.clock.nowMs();
    const { rows: ends } = await tx.execute<{ slot: number; reason: string; people: number }>(sql`
      select f.slot, f.reason, sum(f.cases)::int as people from ${courseSums(tenantId, { topics: ['end'], sinceMs, sequenceId: found.id })} f
      group by 1, 2 having sum(f.cases) <> 0`);
    const { rows: watched } = await tx.execute<{ day_ms: number; slot: number; people: number }>(sql`
      select extract(epoch from f.starts_at)::float8 * 1000 as day_ms, f.slot, sum(f.cases)::int as people
      from ${courseSums(tenantId, { topics: ['watched'], sinceMs, sequenceId: found.id, days: true })} f
      group by 1, 2 having sum(f.cases) <> 0`);
    // Whoever has no end is watched since their hour began: up to an hour too long.
    const secondsSince = (dayMs: number, slot: number) => Math.max(0, ((nowMs - dayMs) / 1_000) * found.timeScale - slot * hourSeconds);
    const { rows: won } = await tx.execute<{ step: string; slot: number; n: number }>(sql`
      select f.step_id as step, f.slot, sum(f.cases)::int as n from ${courseSums(tenantId, { topics: ['won'], sinceMs, sequenceId: found.id })} f
      group by 1, 2 having sum(f.cases) <> 0`);
    const { rows: revenue } = await tx.execute<{ step: string; currency: string; amount: number }>(sql`
      select f.step_id as step, f.currency, sum(f.amount)::float8 as amount from ${courseSums(tenantId, { topics: ['revenue'], sinceMs, sequenceId: found.id })} f
      group by 1, 2 having sum(f.amount) <> 0 order by 2`);
    const outcomes = outcomesOf([
      ...ends.map(({ slot, reason, people }) => ({ time: slot * 60, cause: reason, people })),
      ...watched.map(({ day_ms: dayMs, slot, people }) => ({ time: gridMinutes(secondsSince(dayMs, slot)) * 60, cause: null, people })),
    ]);
    return { ...outcomes, bySteps: bySteps(won, revenue) };
  });
}

function bySteps(
  won: readonly { step: string; slot: number; n: number }[],
  revenue: readonly { step: string; currency: string; amount: number }[],
): ConvertedBehind[] {
  return [...new Set([...won, ...revenue].map(({ step }) => step))]
    .map((step) => {
      const own = won.filter((row) => row.step === step).toSorted((a, b) => a.slot - b.slot);
      const conversions = own.reduce((sum, { n }) => sum + n, 0);
      let before = 0;
      const times = own.map(({ slot, n }) => ({ seconds: slot * 60, upTo: (before += n) }));
      return {
        ...{ step: step === '' ? null : step, conversions },
        timeToConversion: quantiles.flatMap((quantile) => {
          const found = times.find(({ upTo }) => upTo >= quantile * conversions);
          return found === undefined ? [] : [{ quantile, seconds: found.seconds }];
        }),
        revenue: revenue.filter((row) => row.step === step).map(({ currency, amount }) => ({ currency, minor: amount })),
      };
    })
    .toSorted((a, b) => b.conversions - a.conversions || (a.step ?? '').localeCompare(b.step ?? ''));
}

function outcomesOf(courses: readonly { time: number; cause: string | null; people: number }[]): Omit<SequenceOutcomes, 'bySteps'> {
  const enrolled = courses.reduce((sum, { people }) => sum + people, 0);
  const rows = competingRisks(courses);
  const last = rows.at(-1);
  const countOf = (cause: string) => courses.filter((course) => course.cause === cause).reduce((sum, { people }) => sum + people, 0);
  const converted = last?.ended['converted']?.share ?? 0;
  const horizonSeconds = last?.time ?? 0;
  const shown = rows.filter(({ atRisk }) => atRisk >= fewestWatched);
  return {
    enrolled,
    ends: Object.entries(last?.ended ?? {})
      .map(([cause, figure]) => ({ cause, people: countOf(cause), share: figure.share, interval: incidenceInterval(figure) }))
      .toSorted((a, b) => b.share - a.share),
    free: enrolled === 0 ? null : (last?.free ?? 1),
    ...{ meanFreeSeconds: last === undefined ? null : restrictedMean(rows, horizonSeconds), horizonSeconds },
    timeToConversion: quantiles.flatMap((quantile) => {
      const row = converted > 0 ? rows.find(({ ended }) => (ended['converted']?.share ?? 0) >= quantile * converted - 1e-12) : undefined;
      return row === undefined ? [] : [{ quantile, seconds: row.time }];
    }),
    curve: hourly(shown).map(({ time, atRisk, free, ended }) => ({
      ...{ seconds: time, atRisk, free },
      ended: Object.fromEntries(Object.entries(ended).map(([cause, { share }]) => [cause, share])),
    })),
    tailHidden: shown.length < rows.length,
  };
}

/** The last point of each hour. */
function hourly(rows: readonly Incidence[]): Incidence[] {
  return rows.filter(({ time }, index) => {
    const next = rows[index + 1];
    return next === undefined || Math.ceil(next.time / hourSeconds) > Math.ceil(time / hourSeconds);
  });
}
