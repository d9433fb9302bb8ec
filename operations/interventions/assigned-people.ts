import { type SQL, sql } from 'drizzle-orm';
import { armPieces, assignedBefore } from '../read/arm-sums.ts';

/**
 * What the people count for who were assigned to an arm of a band's sequences within a year and whose horizon is over, each once for a sequence: rows to add up, as the common
 * table expression `assigned` with `band` and `arm`. For after `with`.
 */
export const assignedPeople = (withinDays: number): SQL => sql`own as (
      select s.id, v.definition ->> 'band' as band from sequences s join sequence_versions v on v.tenant_id = s.tenant_id and v.id = s.current_version_id
      where v.definition ->> 'on' = 'risk.entered'),
    bound as materialized (
      select ${assignedBefore(sql`make_interval(hours => 24 * 365)`)} as from_at, ${assignedBefore(sql`make_interval(hours => 24 * ${withinDays}::int)`)} as done_at),
    assigned as materialized (
      select own.band, p.variant as arm, p.*
      from own cross join bound b cross join lateral ${armPieces({ kind: 'band', scopeId: sql`own.id`, stepId: '' }, sql`array[b.from_at, b.done_at]`)} p
      where p.at >= b.from_at and p.at < b.done_at)`;
