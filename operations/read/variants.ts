import { asc, eq, isNotNull, type SQL, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { sequences, tenants, variantAssignments } from '../../db/schema/index.ts';
import type { RevenueSums } from '../../domain/experiments/revenue.ts';
import { wholeSequence } from '../../domain/experiments/variant.ts';
import { type Judgement, judge } from '../../domain/experiments/judge.ts';
import { type SampleRatio, sampleRatio } from '../../domain/statistics/sample-ratio.ts';
import type { Deps } from '../deps.ts';
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
  /** Which variant is better; null: nothing may be said, because the weights were changed meanwhile, or the counts are not what they should be. */
  judgement: Judgement | null;
}

/** For each step that has variants, or had: what the people who got each of them did, all counted by the same query from the assignment on. */
export function readVariants(deps: Pick<Deps, 'db' | 'versions'>, tenantId: string): Promise<StepVariants[]> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [tenant] = await tx.select({ timeScale: tenants.timeScale }).from(tenants).where(eq(tenants.id, tenantId));
    const known = await tx
      .selectDistinct({
        id: sequences.id,
        slug: sequences.slug,
        name: sequences.name,
        versionId: sequences.currentVersionId,
        step: variantAssignments.stepId,
      })
      .from(sequences)
      .innerJoin(variantAssignments, eq(variantAssignments.sequenceId, sequences.id))
      .where(isNotNull(sequences.currentVersionId))
      .orderBy(asc(sequences.slug), asc(variantAssignments.stepId));
    const found: StepVariants[] = [];
    for (const { id, slug, name, versionId, step } of known) {
      if (versionId === null) continue;
      const { definition } = await deps.versions.load(tx, versionId);
      const windowMs = definition.goal.withinMs / (tenant?.timeScale ?? 1);
      const { variants, allocations } = await readArms(tx, { sequenceId: id, stepId: step, windowMs });
      const ratio = sampleRatio(
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

type Row = Record<'allocations' | 'people' | 'expected' | 'sent' | 'opened' | 'clicked' | 'complete' | 'converted', number> & { variant: string };

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

/** Messages that were sent, by the variant that each is of. */
const messagesOf = (theirs: SQL) => sql`
  select m.variant, count(*)::int as sent, (count(m.opened_at))::int as opened, (count(m.clicked_at))::int as clicked
  from messages m join enrollments e on e.tenant_id = m.tenant_id and e.id = m.enrollment_id
  where ${theirs} and m.variant is not null and m.state = 'sent' group by 1`;

/** Messages of a sequence that were sent, by the arm that their person is in. */
const messagesToPeople = (ofSequence: SQL) => sql`
  select a.variant, count(*)::int as sent, (count(m.opened_at))::int as opened, (count(m.clicked_at))::int as clicked
  from assigned a
    join contacts c on c.person_id = a.person_id
    join enrollments e on e.tenant_id = c.tenant_id and e.contact_id = c.id
    join messages m on m.tenant_id = e.tenant_id and m.enrollment_id = e.id
  where ${ofSequence} and m.state = 'sent' and m.created_at >= a.assigned_at - interval '1 minute' group by 1`;

/** The people of a test, as common table expressions `firsts` and `assigned`, and which messages are theirs. */
function peopleOf(of: ArmsOf): { people: SQL; theirs: SQL; ofPeople: SQL | null } {
  const { windowMs } = of;
  const before = (untilMs: number | null) => sql`(${untilMs}::float8 is null or f.assigned_at < to_timestamp(${untilMs}::float8 / 1000))`;
  const { assignments, ofTest, ofPeople, theirs } =
    'experimentId' in of
      ? {
          assignments: sql`(select tenant_id, id, contact_id, variant, assigned_at, ${JSON.stringify(of.shares)}::jsonb as shares
            from experiment_assignments where experiment_id = ${of.experimentId})`,
          ofTest: before(of.untilMs),
          ofPeople: null,
          theirs: sql`m.experiment_id = ${of.experimentId}`,
        }
      : {
          assignments: sql`(select * from variant_assignments where sequence_id = ${of.sequenceId} and step_id = ${of.stepId})`,
          ofTest:
            of.test === undefined
              ? sql`true`
              : sql`f.shares = ${JSON.stringify(of.test.shares)}::jsonb and f.assigned_at >= to_timestamp(${of.test.fromMs / 1_000})
                  and ${before(of.test.untilMs)}`,
          ofPeople: of.stepId === wholeSequence ? sql`e.sequence_id = ${of.sequenceId}` : null,
          theirs: sql`e.sequence_id = ${of.sequenceId} and m.step_id = ${of.stepId} and m.experiment_id is null`,
        };
  const people = sql`firsts as (
      -- Of several assignments of one person, the first counts.
      select distinct on (c.person_id) c.person_id, a.variant, a.shares, a.assigned_at, a.assigned_at + make_interval(secs => ${windowMs / 1_000}) as ends_at
      from ${assignments} a join contacts c on c.tenant_id = a.tenant_id and c.id = a.contact_id
      order by c.person_id, a.assigned_at, a.id),
    assigned as (select * from firsts f where ${ofTest})`;
  return { people, theirs, ofPeople };
}

/** @returns `allocations`: how many different weights people were assigned by */
export async function readArms(tx: Tx, of: ArmsOf): Promise<{ variants: VariantFigures[]; allocations: number }> {
  const { people, theirs, ofPeople } = peopleOf(of);
  const { rows } = await tx.execute<Row>(sql`
    with ${people},
    bought as (
      select distinct a.person_id
      from assigned a
        join contacts c on c.person_id = a.person_id
        join conversions o on o.tenant_id = c.tenant_id and o.contact_id = c.id
      where o.no_revenue is null and o.reversed_at is null and o.placed_at > a.assigned_at and o.placed_at <= a.ends_at),
    counted as (
      select a.variant, count(*)::int as people, (count(*) filter (where a.ends_at <= clock_timestamp()))::int as complete,
        (count(*) filter (where a.ends_at <= clock_timestamp() and b.person_id is not null))::int as converted
      from assigned a left join bought b on b.person_id = a.person_id group by a.variant),
    meant as (select s.key as variant, sum(s.value::text::double precision) as expected from assigned a cross join lateral jsonb_each(a.shares) s group by 1),
    told as (${ofPeople === null ? messagesOf(theirs) : messagesToPeople(ofPeople)})
    select (select count(distinct shares) from assigned)::int as allocations, coalesce(c.variant, w.variant) as variant, coalesce(c.people, 0) as people, coalesce(w.expected, 0)::double precision as expected,
      coalesce(t.sent, 0) as sent, coalesce(t.opened, 0) as opened, coalesce(t.clicked, 0) as clicked,
      coalesce(c.complete, 0) as complete, coalesce(c.converted, 0) as converted
    from counted c full join meant w on w.variant = c.variant left join told t on t.variant = coalesce(c.variant, w.variant)
    order by 2`);
  const variants = rows.map(({ variant, people, expected, sent, opened, clicked, complete, converted }) => ({
    ...{ variant, people, expected, sent, opened, clicked, complete, converted },
    rate: complete === 0 ? null : converted / complete,
    interval: wilsonInterval(converted, complete),
  }));
  return { variants, allocations: rows[0]?.allocations ?? 0 };
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
  const { people } = peopleOf(of);
  const { rows } = await tx.execute<Record<string, unknown> & ArmOfDay>(sql`
    with ${people},
    bought as (
      select distinct a.person_id
      from assigned a
        join contacts c on c.person_id = a.person_id
        join conversions o on o.tenant_id = c.tenant_id and o.contact_id = c.id
      where o.no_revenue is null and o.reversed_at is null and o.placed_at > a.assigned_at and o.placed_at <= a.ends_at)
    select a.variant, (extract(epoch from date_trunc('day', a.ends_at at time zone 'UTC') + interval '1 day') * 1000)::float8 as "untilMs",
      count(*)::int as complete, (count(b.person_id))::int as converted
    from assigned a left join bought b on b.person_id = a.person_id
    where a.ends_at <= clock_timestamp() group by 1, 2 order by 2, 1`);
  return rows;
}

/** What else became of the people of each arm: what a test must not make worse, and what they spent. */
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

/** Counted anew, as `readArms` does. An opt-out or a refund counts for whoever was in the arm, whether or not its message caused it. */
export async function readOutcomes(tx: Tx, of: ArmsOf): Promise<ArmOutcomes[]> {
  const { people } = peopleOf(of);
  const { rows } = await tx.execute<Record<string, unknown> & ArmOutcomes>(sql`
    with ${people},
    said_no as (
      select a.person_id, bool_or(c.lifecycle = 'DO_NOT_CONTACT') as is_final
      from assigned a
        join contacts c on c.person_id = a.person_id
        join consents n on n.tenant_id = c.tenant_id and n.contact_id = c.id
      where n.state = 'denied' and consent_basis(n.basis, n.source) = 'person' and n.occurred_at > a.assigned_at and n.occurred_at <= a.ends_at
      group by 1),
    gave_back as (
      select distinct a.person_id
      from assigned a
        join contacts c on c.person_id = a.person_id
        join conversions o on o.tenant_id = c.tenant_id and o.contact_id = c.id
      where o.placed_at > a.assigned_at and o.placed_at <= a.ends_at and (o.refunded_minor > 0 or o.reversed_at is not null)),
    spent as (
      select a.person_id, a.variant, f.currency, sum(f.net_minor)::float8 as net
      from assigned a
        join contacts c on c.person_id = a.person_id
        join conversions o on o.tenant_id = c.tenant_id and o.contact_id = c.id
        cross join lateral figures_of_order(o) f
      where f.currency <> '' and a.ends_at <= clock_timestamp() and o.placed_at > a.assigned_at and o.placed_at <= a.ends_at
      group by 1, 2, 3)
    select a.variant, count(*)::int as people,
      (count(*) filter (where a.ends_at <= clock_timestamp()))::int as complete,
      (count(n.person_id))::int as "optOuts", (count(*) filter (where n.is_final))::int as complaints, (count(g.person_id))::int as refunds,
      coalesce((select json_agg(json_build_object('currency', r.currency, 'sum', r.total, 'squares', r.squares))
        from (select s.currency, sum(s.net) as total, sum(s.net * s.net) as squares from spent s where s.variant = a.variant group by 1) r), '[]') as revenue
    from assigned a left join said_no n on n.person_id = a.person_id left join gave_back g on g.person_id = a.person_id
    group by a.variant order by 1`);
  return rows;
}
