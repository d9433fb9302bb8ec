import { asc, eq, isNotNull, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { assignments, sequences, tenants } from '../../db/schema/index.ts';
import { type SampleRatio, sampleRatio } from '../../domain/statistics/sample-ratio.ts';
import type { Arm } from '../../domain/experiments/arm.ts';
import { type Effect, effectOf, type RevenueEffect, revenueEffectOf } from '../../domain/experiments/effect.ts';
import type { Deps } from '../deps.ts';
import type { Interval } from '../../domain/statistics/interval.ts';
import { wilsonInterval } from '../../domain/statistics/proportions.ts';

/** The people of one arm. Each counts in the arm that they got first, whatever became of their enrollments. */
export interface ArmFigures {
  arm: Arm;
  people: number;
  /** How many it should be, by the shares that were in force when they were assigned. */
  expected: number;
  /** Whose window is over: only they are compared. */
  complete: number;
  /** Of these, who ordered within the window. */
  converted: number;
  /** Share of `converted` in `complete`; null: nobody's window is over. */
  rate: number | null;
  interval: Interval | null;
  /** What the complete ones bought within the window, net and in minor units; sums over people, of amounts and of their squares. */
  revenue: { currency: string; sum: number; squares: number }[];
}

export interface Holdout {
  sequence: string;
  name: string;
  /** What the version in use holds out; null: there is none. */
  percent: number | null;
  /** How long after the assignment an order counts, in milliseconds of this tenant's time. */
  windowMs: number;
  arms: [ArmFigures, ArmFigures];
  /** null: there is nothing to compare. */
  sampleRatio: SampleRatio | null;
  /** By intention to treat: everybody counts in the arm that they got, whatever became of it. */
  effect: Effect;
  /** In minor units, by currency. */
  revenue: (RevenueEffect & { currency: string })[];
}

/**
 * What the people in sequences with a holdout bought, with and without their messages. Both arms are counted by the same query, from the assignment on: any order of the person
 * that is revenue counts, whether or not a sequence is credited with it.
 */
export function readHoldouts(deps: Pick<Deps, 'db' | 'versions'>, tenantId: string): Promise<Holdout[]> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [tenant] = await tx.select({ timeScale: tenants.timeScale }).from(tenants).where(eq(tenants.id, tenantId));
    const known = await tx
      .selectDistinct({ id: sequences.id, slug: sequences.slug, name: sequences.name, versionId: sequences.currentVersionId })
      .from(sequences)
      .innerJoin(assignments, eq(assignments.sequenceId, sequences.id))
      .where(isNotNull(sequences.currentVersionId))
      .orderBy(asc(sequences.slug));
    const found: Holdout[] = [];
    for (const { id, slug, name, versionId } of known) {
      if (versionId === null) continue;
      const { definition } = await deps.versions.load(tx, versionId);
      const windowMs = definition.goal.withinMs / (tenant?.timeScale ?? 1);
      const arms = await readArms(tx, id, windowMs);
      const ratio = sampleRatio(
        arms.map((arm) => arm.people),
        arms.map((arm) => arm.expected),
      );
      const [treated, holdout] = arms;
      const cases = ({ complete, converted }: ArmFigures) => ({ people: complete, converted });
      const effect = effectOf(cases(treated), cases(holdout), ratio !== null && !ratio.mismatch);
      found.push({
        ...{ sequence: slug, name, percent: definition.holdoutPercent, windowMs, arms, sampleRatio: ratio, effect },
        revenue: revenueOf(treated, holdout),
      });
    }
    return found;
  });
}

function revenueOf(treated: ArmFigures, holdout: ArmFigures): Holdout['revenue'] {
  const currencies = [...new Set([...treated.revenue, ...holdout.revenue].map(({ currency }) => currency))].toSorted();
  return currencies.flatMap((currency) => {
    const momentsIn = ({ revenue, complete: n }: ArmFigures) => {
      const { sum = 0, squares = 0 } = revenue.find((one) => one.currency === currency) ?? {};
      return { n, mean: sum / n, variance: (squares - (sum * sum) / n) / (n - 1) };
    };
    const effect = revenueEffectOf(momentsIn(treated), momentsIn(holdout));
    return effect === null ? [] : [{ currency, ...effect }];
  });
}

async function readArms(tx: Tx, sequenceId: string, windowMs: number): Promise<[ArmFigures, ArmFigures]> {
  const { rows } = await tx.execute<{
    arm: Arm;
    people: number;
    shares: number;
    complete: number;
    converted: number;
    revenue: ArmFigures['revenue'];
  }>(sql`
    with assigned as (
      -- Of several assignments of one person, the first counts.
      select distinct on (c.person_id) c.person_id, a.arm, a.share, a.assigned_at, a.assigned_at + make_interval(secs => ${windowMs / 1_000}) as ends_at
      from assignments a join contacts c on c.tenant_id = a.tenant_id and c.id = a.contact_id
      where a.sequence_id = ${sequenceId}
      order by c.person_id, a.assigned_at, a.id),
    bought as (
      select distinct a.person_id
      from assigned a
        join contacts c on c.person_id = a.person_id
        join conversions o on o.tenant_id = c.tenant_id and o.contact_id = c.id
      where o.no_revenue is null and o.placed_at > a.assigned_at and o.placed_at <= a.ends_at),
    spent as (
      select a.person_id, a.arm, f.currency, sum(f.net_minor)::float8 as net
      from assigned a
        join contacts c on c.person_id = a.person_id
        join conversions o on o.tenant_id = c.tenant_id and o.contact_id = c.id
        cross join lateral figures_of_order(o) f
      where f.currency <> '' and a.ends_at <= clock_timestamp() and o.placed_at > a.assigned_at and o.placed_at <= a.ends_at
      group by 1, 2, 3)
    select a.arm, count(*)::int as people, sum(a.share)::double precision as shares,
      (count(*) filter (where a.ends_at <= clock_timestamp()))::int as complete,
      (count(*) filter (where a.ends_at <= clock_timestamp() and b.person_id is not null))::int as converted,
      coalesce((select json_agg(json_build_object('currency', r.currency, 'sum', r.total, 'squares', r.squares))
        from (select s.currency, sum(s.net) as total, sum(s.net * s.net) as squares from spent s where s.arm = a.arm group by 1) r), '[]') as revenue
    from assigned a left join bought b on b.person_id = a.person_id
    group by a.arm`);
  const all = rows.reduce((sum, { people }) => sum + people, 0);
  const heldOut = rows.reduce((sum, { shares }) => sum + shares, 0);
  const figuresOf = (arm: Arm, expected: number): ArmFigures => {
    const { people = 0, complete = 0, converted = 0, revenue = [] } = rows.find((row) => row.arm === arm) ?? {};
    const rate = complete === 0 ? null : converted / complete;
    return { arm, people, expected, complete, converted, rate, interval: wilsonInterval(converted, complete), revenue };
  };
  return [figuresOf('treated', all - heldOut), figuresOf('holdout', heldOut)];
}
