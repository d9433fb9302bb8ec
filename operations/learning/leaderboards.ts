import { sql } from 'drizzle-orm';
import { type Placed, leaderboard } from '../../domain/learning/leaderboard.ts';
import type { Deps } from '../deps.ts';
import { courseSums } from '../read/course-sums.ts';

/** What is ranked. */
export const leaderboardKinds = ['sequences', 'campaigns', 'sources', 'imports'] as const;
export type LeaderboardKind = (typeof leaderboardKinds)[number];

interface Row extends Record<string, unknown> {
  key: string;
  name: string;
  people: number;
  converted: number;
}

/** SQL of what is ranked, and of the sums that count. */
const ranked: Record<LeaderboardKind, { key: string; name: string; join: string; where: string }> = {
  sequences: { key: 's.slug', name: 's.name', join: 'join sequences s on s.id = f.sequence_id', where: 'true' },
  campaigns: { key: 'c.id::text', name: 'c.name', join: 'join campaigns c on c.id = f.campaign_id', where: 'true' },
  sources: { key: 'f.source', name: 'f.source', join: '', where: `f.subject_kind = 'lead'` },
  imports: { key: 'f.source', name: 'f.source', join: '', where: 'f.imported' },
};

/**
 * Enrollments that were not held out, and those with an order that stands; the best by what its rate is at least first. @param sinceMs - activations since
 * the beginning of that UTC day, epoch milliseconds
 */
export function readLeaderboard(deps: Pick<Deps, 'db'>, tenantId: string, kind: LeaderboardKind, sinceMs: number): Promise<Placed[]> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const { key, name, join, where } = ranked[kind];
    const { rows } = await tx.execute<Row>(sql`
      select ${sql.raw(key)} as key, max(${sql.raw(name)}) as name, sum(f.cases)::int as people, sum(f.converted)::int as converted
      from ${courseSums(tenantId, { topics: ['course'], sinceMs })} f ${sql.raw(join)}
      where ${sql.raw(where)} group by 1 having sum(f.cases) <> 0`);
    return leaderboard(rows);
  });
}
