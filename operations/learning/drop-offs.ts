import { sql } from 'drizzle-orm';
import { sequences } from '../../db/schema/index.ts';
import { type LargestDropOff, largestDropOff, type StepExits } from '../../domain/learning/drop-off.ts';
import type { Deps } from '../deps.ts';
import { courseSums } from '../read/course-sums.ts';

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

/** Parts of the day, in hours. `figures_of_courses` counts by them. */
const partHours = 6;

/** Where each sequence loses most, those that lose most first. @param sinceMs - activations since the beginning of that UTC day, epoch milliseconds */
export function readDropOffs(deps: Pick<Deps, 'db'>, tenantId: string, sinceMs: number): Promise<SequenceDropOff[]> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const { rows } = await tx.execute<Row>(sql`
      select f.sequence_id, f.step_id, f.channel, f.slot as part, sum(f.executed)::int as executed, sum(f.converted)::int as converted, sum(f.dropped)::int as left_n
      from ${courseSums(tenantId, { topics: ['step'], sinceMs })} f group by 1, 2, 3, 4 having sum(f.executed) <> 0`);
    const known = await tx
      .select({ id: sequences.id, slug: sequences.slug, name: sequences.name, versionId: sequences.currentVersionId })
      .from(sequences)
      .orderBy(sequences.slug);
    const { rows: counts } = await tx.execute<{ sequence_id: string; enrolled: number; order: string[] | null }>(sql`
      select e.sequence_id, sum(e.cases)::int as enrolled,
        (select array_agg(t.step ->> 'id' order by t.at) from sequences s join sequence_versions v on v.tenant_id = s.tenant_id and v.id = s.current_version_id
          cross join lateral jsonb_array_elements(v.definition -> 'steps') with ordinality as t(step, at) where s.id = e.sequence_id) as order
      from ${courseSums(tenantId, { topics: ['course'], sinceMs })} e group by 1 having sum(e.cases) <> 0`);
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
