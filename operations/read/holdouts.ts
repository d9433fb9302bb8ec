import { and, asc, eq, isNotNull, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { assignments, sequences, tenants } from '../../db/schema/index.ts';
import { type SampleRatio, sampleRatio } from '../../domain/statistics/sample-ratio.ts';
import type { Arm } from '../../domain/experiments/arm.ts';
import { type Effect, effectOf, type RevenueEffect, revenueEffectOf } from '../../domain/experiments/effect.ts';
import { scaled } from '../../domain/sequence/time-scale.ts';
import type { Deps } from '../deps.ts';
import { armPieces, assignedBefore } from './arm-sums.ts';
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
      .select({ id: sequences.id, slug: sequences.slug, name: sequences.name, versionId: sequences.currentVersionId })
      .from(sequences)
      .where(
        and(
          isNotNull(sequences.currentVersionId),
          sql`exists (select from ${assignments} where ${assignments.tenantId} = ${sequences.tenantId} and ${assignments.sequenceId} = ${sequences.id})`,
        ),
      )
      .orderBy(asc(sequences.slug));
    const found: Holdout[] = [];
    for (const { id, slug, name, versionId } of known) {
      if (versionId === null) continue;
      const { definition } = await deps.versions.load(tx, versionId);
      const windowMs = scaled(definition.goal.withinMs, tenant?.timeScale ?? 1);
      const arms = await readHoldoutArms(tx, id, windowMs);
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

export async function readHoldoutArms(tx: Tx, sequenceId: string, windowMs: number): Promise<[ArmFigures, ArmFigures]> {
  const { rows } = await tx.execute<{
    arm: Arm;
    currency: string;
    people: number;
    shares: number;
    complete: number;
    converted: number;
    amount: number;
    squares: number;
  }>(sql`
    with bound as materialized (
      select ${assignedBefore(sql`make_interval(secs => ${windowMs}::float8 / 1000)`)} as done_at),
    pieces as materialized (
      select p.*, p.at < b.done_at as is_over
      from bound b cross join lateral ${armPieces({ kind: 'holdout', scopeId: sequenceId, stepId: '' }, sql`array[b.done_at]`)} p)
    select p.variant as arm, p.currency, sum(p.people)::int as people, sum(p.people * (p.shares ->> 'holdout')::float8) as shares,
      coalesce(sum(p.people) filter (where p.is_over), 0)::int as complete, coalesce(sum(p.converted) filter (where p.is_over), 0)::int as converted,
      coalesce(sum(p.amount) filter (where p.is_over), 0)::float8 as amount, coalesce(sum(p.squares) filter (where p.is_over), 0)::float8 as squares
    from pieces p group by 1, 2 order by 1, 2`);
  const counted = rows.filter(({ currency }) => currency === '');
  const all = counted.reduce((sum, { people }) => sum + people, 0);
  const heldOut = counted.reduce((sum, { shares }) => sum + shares, 0);
  const figuresOf = (arm: Arm, expected: number): ArmFigures => {
    const { people = 0, complete = 0, converted = 0 } = counted.find((row) => row.arm === arm) ?? {};
    const revenue = rows
      .filter((row) => row.arm === arm && row.currency !== '' && (row.amount !== 0 || row.squares !== 0))
      .map(({ currency, amount, squares }) => ({ currency, sum: amount, squares }));
    const rate = complete === 0 ? null : converted / complete;
    return { arm, people, expected, complete, converted, rate, interval: wilsonInterval(converted, complete), revenue };
  };
  return [figuresOf('treated', all - heldOut), figuresOf('holdout', heldOut)];
}
