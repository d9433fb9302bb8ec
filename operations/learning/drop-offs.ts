import { eq, sql } from 'drizzle-orm';
import { sequences, tenants } from '../../db/schema/index.ts';
import { type LargestDropOff, largestDropOff, type StepExits } from '../../domain/learning/drop-off.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import type { Deps } from '../deps.ts';

/** Where one sequence loses most. */
export interface SequenceDropOff {
  sequence: string;
  name: string;
  enrolled: number;
  /** null: nobody is lost behind a step that enough have had. */
  largest: LargestDropOff | null;
}

interface Row extends Record<string, unknown> {
  sequence_id: string;
  step_id: string;
  channel: string;
  part: number;
  executed: number;
  converted: number;
  left_n: number;
}

/** Parts of the day, in hours. */
const partHours = 6;

/** Where each sequence loses most, those that lose most first. @param sinceMs - activations since then, epoch milliseconds */
export function readDropOffs(deps: Pick<Deps, 'db'>, tenantId: string, sinceMs: number): Promise<SequenceDropOff[]> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, tenantId));
    if (tenant === undefined) throw new Error('the tenant does not exist');
    const { timeZone } = settingsOf(tenant);
    const { rows } = await tx.execute<Row>(sql`
      with e as materialized (
        select x.tenant_id, x.id, x.sequence_id, x.status, x.ended_at, o.placed_at,
          coalesce(o.placed_at, case when x.status = 'CONVERTED' and coalesce(o.credited, 0) = 0 then x.ended_at end) as converted_at
        from enrollments x left join (
          select c.enrollment_id, min(c.placed_at) filter (where c.reversed_at is null) as placed_at, count(*) as credited
          from conversions c where c.no_revenue is null and c.enrollment_id is not null group by 1) o on o.enrollment_id = x.id
        where x.activated_at >= to_timestamp(${sinceMs / 1_000}) and x.stop_reason is distinct from 'holdout'),
      m as (
        select e.sequence_id, e.status, e.converted_at, k.step_id, k.channel, coalesce(k.settled_at, k.claimed_at, k.created_at) as at,
          lead(coalesce(k.settled_at, k.claimed_at, k.created_at)) over (partition by k.enrollment_id order by coalesce(k.settled_at, k.claimed_at, k.created_at), k.id) as next_at
        from e join messages k on k.tenant_id = e.tenant_id and k.enrollment_id = e.id
        where k.state in ('sent', 'unknown') or (k.state = 'claimed' and k.live))
      select m.sequence_id, m.step_id, coalesce(m.channel, '') as channel,
        (extract(hour from m.at at time zone ${timeZone})::int / ${partHours}::int) as part, count(*)::int as executed,
        (count(*) filter (where m.converted_at >= m.at and (m.next_at is null or m.converted_at < m.next_at)))::int as converted,
        (count(*) filter (where m.next_at is null and m.status = 'EXITED' and m.converted_at is null))::int as left_n
      from m group by 1, 2, 3, 4`);
    const known = await tx
      .select({ id: sequences.id, slug: sequences.slug, name: sequences.name, versionId: sequences.currentVersionId })
      .from(sequences)
      .orderBy(sequences.slug);
    const { rows: counts } = await tx.execute<{ sequence_id: string; enrolled: number; order: string[] | null }>(sql`
      select e.sequence_id, count(*)::int as enrolled,
        (select array_agg(t.step ->> 'id' order by t.at) from sequences s join sequence_versions v on v.tenant_id = s.tenant_id and v.id = s.current_version_id
          cross join lateral jsonb_array_elements(v.definition -> 'steps') with ordinality as t(step, at) where s.id = e.sequence_id) as order
      from enrollments e where e.activated_at >= to_timestamp(${sinceMs / 1_000}) and e.stop_reason is distinct from 'holdout' group by 1`);
    return known
      .flatMap(({ id, slug, name }) => {
        const of = counts.find((one) => one.sequence_id === id);
        if (of === undefined) return [];
        const own = rows.filter((row) => row.sequence_id === id);
        const steps = [...new Set(own.map((row) => row.step_id))].map((step) =>
          exitsOf(
            step,
            of.order ?? [],
            own.filter((row) => row.step_id === step),
          ),
        );
        return [{ sequence: slug, name, enrolled: of.enrolled, largest: largestDropOff(steps) }];
      })
      .toSorted((a, b) => (b.largest?.interval.low ?? -1) - (a.largest?.interval.low ?? -1) || a.sequence.localeCompare(b.sequence));
  });
}

function exitsOf(step: string, order: readonly string[], rows: readonly Row[]): StepExits {
  const sum = (of: (row: Row) => number, among = rows) => among.reduce((total, row) => total + of(row), 0);
  const place = order.indexOf(step);
  return {
    ...{ step, order: place < 0 ? null : place, channels: [...new Set(rows.map(({ channel }) => channel))] },
    ...{ executed: sum((row) => row.executed), converted: sum((row) => row.converted), left: sum((row) => row.left_n) },
    byHours: [...new Set(rows.map(({ part }) => part))]
      .toSorted((a, b) => a - b)
      .map((part) => {
        const among = rows.filter((row) => row.part === part);
        const [people, converted] = [sum((row) => row.executed, among), sum((row) => row.left_n, among)];
        return { from: part * partHours, to: (part + 1) * partHours, people, converted };
      }),
  };
}
