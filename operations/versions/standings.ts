import { sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { enrollments, messages, sequenceVersions } from '../../db/schema/index.ts';
import type { SequenceDefinition } from '../../domain/sequence/definition.ts';
import type { Standing } from '../../domain/versions/head-counts.ts';

/** How the open enrollments of a sequence stand, those that stand alike counted together: there are as many rows as there are ways to stand, not people. */
export async function readStandings(tx: Tx, sequenceId: string): Promise<Standing[]> {
  const { rows } = await tx.execute<{ version: number; definition: SequenceDefinition; settled: string[]; count: number }>(sql`
    select v.version, v.definition, stands.settled, stands.count from (
      select one.version_id, one.settled, count(*)::int as count from (
        select e.version_id, coalesce((
          select array_agg(m.step_id order by m.step_id) from ${messages} m
          where m.enrollment_id = e.id and m.state in ('sent', 'unknown', 'skipped')), '{}') as settled
        from ${enrollments} e where e.sequence_id = ${sequenceId} and e.ended_at is null) one
      group by 1, 2) stands
    join ${sequenceVersions} v on v.id = stands.version_id
    order by v.version, stands.settled`);
  return rows.map(({ version, definition, settled, count }) => ({ version, steps: definition.steps, settled, count }));
}
