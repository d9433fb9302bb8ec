import { sql } from 'drizzle-orm';
import { type Placed, leaderboard } from '../../domain/learning/leaderboard.ts';
import type { Deps } from '../deps.ts';

/** What is ranked. */
export const leaderboardKinds = ['sequences', 'campaigns', 'sources', 'imports'] as const;
export type LeaderboardKind = (typeof leaderboardKinds)[number];

interface Row extends Record<string, unknown> {
  key: string;
  name: string;
  people: number;
  converted: number;
}

/** SQL of what is ranked, and of the rows of enrollments that count. */
const ranked: Record<LeaderboardKind, { key: string; name: string; join: string; where: string }> = {
  sequences: { key: 's.slug', name: 's.name', join: 'join sequences s on s.tenant_id = e.tenant_id and s.id = e.sequence_id', where: 'true' },
  campaigns: { key: 'c.id::text', name: 'c.name', join: 'join campaigns c on c.tenant_id = e.tenant_id and c.id = e.campaign_id', where: 'true' },
  sources: {
    key: `coalesce(j.details ->> 'source', '')`,
    name: `coalesce(j.details ->> 'source', '')`,
    join: 'join subjects j on j.tenant_id = e.tenant_id and j.id = e.subject_id',
    where: `j.kind = 'lead'`,
  },
  imports: {
    key: `coalesce(j.details ->> 'source', '')`,
    name: `coalesce(j.details ->> 'source', '')`,
    join: 'join subjects j on j.tenant_id = e.tenant_id and j.id = e.subject_id',
    where: `j.kind = 'lead' and 'BULK' in (j.details ->> 'via', j.details ->> 'source')`,
  },
};

/**
 * Enrollments that were not held out, and those with an order that stands; the best by what its rate is at least first. @param sinceMs - activations since
 * then, epoch milliseconds
 */
export function readLeaderboard(deps: Pick<Deps, 'db'>, tenantId: string, kind: LeaderboardKind, sinceMs: number): Promise<Placed[]> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const { key, name, join, where } = ranked[kind];
    const { rows } = await tx.execute<Row>(sql`
      with o as (
        select c.enrollment_id, count(*) filter (where c.reversed_at is null) as standing
        from conversions c where c.no_revenue is null and c.enrollment_id is not null group by 1)
      select ${sql.raw(key)} as key, max(${sql.raw(name)}) as name, count(*)::int as people,
        (count(*) filter (where o.standing > 0 or (o.standing is null and e.status = 'CONVERTED')))::int as converted
      from enrollments e ${sql.raw(join)} left join o on o.enrollment_id = e.id
      where e.activated_at >= to_timestamp(${sinceMs / 1_000}) and e.stop_reason is distinct from 'holdout' and ${sql.raw(where)}
      group by 1`);
    return leaderboard(rows);
  });
}
