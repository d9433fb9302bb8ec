import { eq, type SQL, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { tenants } from '../../db/schema/index.ts';
import type { RevenueSums } from '../../domain/experiments/revenue.ts';
import { wholeSequence } from '../../domain/experiments/variant.ts';
import { type Judgement, judge } from '../../domain/experiments/judge.ts';
import { type SampleRatio, sampleRatio } from '../../domain/statistics/sample-ratio.ts';
import { scaled } from '../../domain/sequence/time-scale.ts';
import type { Deps } from '../deps.ts';
import { armPieces, type ArmsPlace, assignedBefore } from './arm-sums.ts';
import type { Interval } from '../../domain/statistics/interval.ts';
import { wilsonInterval } from '../../domain/statistics/proportions.ts';

/** The people who got one variant of a step. Each counts in the one that they got first. */
export interface VariantFigures {
  variant: string;
  people: number;
  /** How many it should be, by the weights that were in force when they were assigned. */
  expected: number;
  /** Of the messages of the step, those of this variant that went out, and of these, opened and clicked. */
  sent: number;
  opened: number;
  clicked: number;
  /** Whose window is over: only they are compared. */
  complete: number;
  /** Of these, who ordered within the window. */
  converted: number;
  /** Share of `converted` in `complete`; null: nobody's window is over. */
  rate: number | null;
  interval: Interval | null;
}

export interface StepVariants {
  sequence: string;
  name: string;
  step: string;
  /** How long after the assignment an order counts, in milliseconds of this tenant's time. */
  windowMs: number;
  variants: VariantFigures[];
  /** null: there is nothing to compare. */
  sampleRatio: SampleRatio | null;
  /** Which variant is better; null: nothing may be said, because the weights were changed meanwhile, as by a bandit, or the counts are not what they should be. */
  judgement: Judgement | null;
}

/** For each step that has variants, or had: what the people who got each of them did, all counted by the same query from the assignment on. */
export function readVariants(deps: Pick<Deps, 'db' | 'versions'>, tenantId: string): Promise<StepVariants[]> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [tenant] = await tx.select({ timeScale: tenants.timeScale }).from(tenants).where(eq(tenants.id, tenantId));
    // The index is skipped through, so that the number of people does not matter.
    const { rows: known } = await tx.execute<{ id: string; slug: string; name: string; versionId: string; step: string; isBandit: boolean }>(sql`
      select s.id, s.slug, s.name, s.current_version_id as "versionId", t.step,
        exists (select 1 from experiments x where x.sequence_id = s.id and x.step_id = t.step and x.mode = 'bandit') as "isBandit"
      from sequences s cross join lateral (
        with recursive steps as (
          (select a.step_id from variant_assignments a where a.sequence_id = s.id order by a.step_id limit 1)
          union all
          select (select a.step_id from variant_assignments a where a.sequence_id = s.id and a.step_id > steps.step_id order by a.step_id limit 1)
          from steps where steps.step_id is not null)
        select steps.step_id as step from steps where steps.step_id is not null) t
      where s.current_version_id is not null order by s.slug, t.step`);
    const found: StepVariants[] = [];
    for (const { id, slug, name, versionId, step, isBandit } of known) {
      const { definition } = await deps.versions.load(tx, versionId);
      const windowMs = scaled(definition.goal.withinMs, tenant?.timeScale ?? 1);
      const { variants, allocations } = await readArms(tx, { sequenceId: id, stepId: step, windowMs });
      const ratio = isBandit
        ? null
        : sampleRatio(
            variants.map(({ people }) => people),
            variants.map(({ expected }) => expected),
          );
      const isSound = ratio !== null && !ratio.mismatch && allocations === 1;
      const judgement = isSound ? judge(variants.map(casesOf)) : null;
      found.push({ sequence: slug, name, step, windowMs, variants, sampleRatio: ratio, judgement });
    }
    return found;
  });
}

/** What `judge` asks of an arm: those whose window is over. */
export const casesOf = ({ variant, complete, converted, expected }: VariantFigures) => ({
  id: variant,
  people: complete,
  converted,
  share: expected,
});

/** Of whom the arms are: all who were ever assigned in a step or those of one test of it, or those of a test of a campaign. */
export type ArmsOf = { windowMs: number } & (
  | {
      sequenceId: string;
      stepId: string;
      /** Of one test: those who were assigned by these shares, from `fromMs` until before `untilMs` (null: until now). */
      test?: { shares: Record<string, number>; fromMs: number; untilMs: number | null };
    }
  | { experimentId: string; shares: Record<string, number>; untilMs: number | null }
);

/** Where the sums of these people are, and those of the messages by variant; null: messages are counted by the arm of whoever got them. */
function placesOf(of: ArmsOf): { people: ArmsPlace; messages: ArmsPlace | null } {
  if ('experimentId' in of) {
    const scopeId = of.experimentId;
    return { people: { kind: 'test', scopeId, stepId: '' }, messages: { kind: 'message', scopeId, stepId: '' } };
  }
  const { sequenceId: scopeId, stepId } = of;
  return { people: { kind: 'variant', scopeId, stepId }, messages: stepId === wholeSequence ? null : { kind: 'message', scopeId, stepId } };
}

/** The common table expressions `bound` and `pieces`: those who were assigned from `from_at` until before `until_at`, and whose window is over if before `done_at`. */
function piecesOf(of: ArmsOf, bounds: SQL): SQL {
  const test = 'experimentId' in of ? { fromMs: null, untilMs: of.untilMs } : (of.test ?? { fromMs: null, untilMs: null });
  const at = (ms: number | null) => sql`to_timestamp(${ms}::float8 / 1000)`;
  const { people } = placesOf(of);
  // Whoever was assigned by other shares is in another test.
  const shares = 'experimentId' in of || of.test === undefined ? sql`true` : sql`p.shares = ${JSON.stringify(of.test.shares)}::jsonb`;
  return sql`bound as materialized (
      select ${at(test.fromMs)} as from_at, ${at(test.untilMs)} as until_at, b.within, ${assignedBefore(sql`b.within`)} as done_at
      from (select make_interval(secs => ${of.windowMs}::float8 / 1000) as within) b),
    pieces as materialized (
      select p.*, p.at < b.done_at as is_over
      from bound b cross join lateral (select array_remove(array[b.from_at, b.until_at, b.done_at], null) || ${bounds} as all) n
        cross join lateral ${armPieces(people, sql`n.all`)} p
      where p.at >= coalesce(b.from_at, '-infinity') and p.at < coalesce(b.until_at, 'infinity') and ${shares})`;
}

interface Row extends Record<string, unknown> {
  /** `told`: messages by the variant that they are of. */
  part: 'people' | 'told';
  variant: string;
  shares: Record<string, number>;
  currency: string;
  people: number;
  complete: number;
  converted: number;
  optOuts: number;
  complaints: number;
  refunds: number;
  sent: number;
  opened: number;
  clicked: number;
  amount: number;
  squares: number;
}

/** The arms as they stand, counted from the sums in one statement. */
export interface ReadArms {
  variants: VariantFigures[];
  /** How many different weights people were assigned by. */
  allocations: number;
  outcomes: ArmOutcomes[];
}

export async function readArms(tx: Tx, of: ArmsOf): Promise<ReadArms> {
  const { messages } = placesOf(of);
  const told =
    messages === null
      ? sql``
      : sql`union all
        select 'told', m.variant, '{}', '', 0, 0, 0, 0, 0, 0, sum(m.sent)::int, sum(m.opened)::int, sum(m.clicked)::int, 0, 0
        from ${armPieces(messages, sql`'{}'::timestamptz[]`)} m group by m.variant`;
  const { rows } = await tx.execute<Row>(sql`
    with ${piecesOf(of, sql`'{}'::timestamptz[]`)}
    select 'people' as part, p.variant, p.shares, p.currency, sum(p.people)::int as people, coalesce(sum(p.people) filter (where p.is_over), 0)::int as complete,
      coalesce(sum(p.converted) filter (where p.is_over), 0)::int as converted, sum(p.opt_outs)::int as "optOuts", sum(p.complaints)::int as complaints,
      sum(p.refunds)::int as refunds, sum(p.sent)::int as sent, sum(p.opened)::int as opened, sum(p.clicked)::int as clicked,
      coalesce(sum(p.amount) filter (where p.is_over), 0)::float8 as amount, coalesce(sum(p.squares) filter (where p.is_over), 0)::float8 as squares
    from pieces p group by p.variant, p.shares, p.currency ${told}`);
  const people = rows.filter(({ part, currency, people: n }) => part === 'people' && currency === '' && n > 0);
  const sharesOf = ({ shares }: Row) => ('experimentId' in of ? of.shares : shares);
  const arms = [...new Set(people.flatMap((row) => [row.variant, ...Object.keys(sharesOf(row))]))].toSorted();
  const variants = arms.map((variant): VariantFigures => {
    const own = people.filter((row) => row.variant === variant);
    const letters = messages === null ? own : rows.filter((row) => row.part === 'told' && row.variant === variant);
    const [complete, converted] = [add(own, 'complete'), add(own, 'converted')];
    return {
      ...{ variant, people: add(own, 'people'), expected: people.reduce((sum, row) => sum + row.people * (sharesOf(row)[variant] ?? 0), 0) },
      ...{ sent: add(letters, 'sent'), opened: add(letters, 'opened'), clicked: add(letters, 'clicked'), complete, converted },
      rate: complete === 0 ? null : converted / complete,
      interval: wilsonInterval(converted, complete),
    };
  });
  const outcomes = arms.map((variant): ArmOutcomes => {
    const own = people.filter((row) => row.variant === variant);
    return {
      ...{ variant, people: add(own, 'people'), optOuts: add(own, 'optOuts'), complaints: add(own, 'complaints'), refunds: add(own, 'refunds') },
      complete: add(own, 'complete'),
      revenue: revenueIn(rows.filter((row) => row.part === 'people' && row.variant === variant)),
    };
  });
  return { variants, allocations: new Set(people.map(({ shares }) => JSON.stringify(shares))).size, outcomes };
}

type Summed = 'people' | 'complete' | 'converted' | 'optOuts' | 'complaints' | 'refunds' | 'sent' | 'opened' | 'clicked' | 'amount' | 'squares';
const add = (rows: readonly Row[], name: Summed): number => rows.reduce((sum, row) => sum + row[name], 0);

function revenueIn(rows: readonly Row[]): RevenueSums[] {
  const amounts = rows.filter(({ currency, amount, squares }) => currency !== '' && (amount !== 0 || squares !== 0));
  return [...new Set(amounts.map(({ currency }) => currency))].toSorted().map((currency) => {
    const own = amounts.filter((row) => row.currency === currency);
    return { currency, sum: add(own, 'amount'), squares: add(own, 'squares') };
  });
}

/** The people of an arm whose window ended on one day, and of these, who ordered within it. Epoch milliseconds of the day's end, UTC. */
export interface ArmOfDay {
  variant: string;
  untilMs: number;
  complete: number;
  converted: number;
}

/** `readArms` by the day on which windows ended, the oldest first: its sums are the counts of a test as they stood on each day, with what is known today. */
export async function readArmsByDay(tx: Tx, of: ArmsOf): Promise<ArmOfDay[]> {
  const { kind, scopeId, stepId } = placesOf(of).people;
  // Whatever is not folded in yet comes person by person: bounds are for sums.
  const first = sql`(select min(s.starts_at) from arm_sums s where s.kind = ${kind} and s.scope_id = ${scopeId} and s.step_id = ${stepId} and s.grain = 'day')`;
  const days = sql`array(select d - b.within from generate_series(date_trunc('day', ${first} + b.within, 'UTC'), clock_timestamp(), interval '24 hours') d)`;
  const { rows } = await tx.execute<Record<string, unknown> & ArmOfDay>(sql`
    with ${piecesOf(of, days)}
    select p.variant, (extract(epoch from date_trunc('day', p.at + b.within, 'UTC') + interval '24 hours') * 1000)::float8 as "untilMs",
      sum(p.people)::int as complete, sum(p.converted)::int as converted
    from bound b cross join pieces p
    where p.is_over group by 1, 2 having sum(p.people) > 0 order by 2, 1`);
  return rows;
}

/** What else became of the people of each arm: what a test must not make worse, and what they spent. An opt-out or a refund counts for whoever was in the arm. */
export interface ArmOutcomes {
  variant: string;
  /** Of all its people, within their window so far. */
  people: number;
  optOuts: number;
  complaints: number;
  refunds: number;
  /** Of those whose window is over. */
  complete: number;
  revenue: RevenueSums[];
}
