import { type SQL, sql } from 'drizzle-orm';

/**
 * The people who were assigned to an arm of a band's sequences within a year, each once for a sequence, as the common table expression `assigned`: `band`,
 * `arm`, `assigned_at`, and the account (`subject_id`) by which they came in. For after `with`.
 */
export const assignedPeople: SQL = sql`own as (
      select s.id, v.definition ->> 'band' as band from sequences s join sequence_versions v on v.tenant_id = s.tenant_id and v.id = s.current_version_id
      where v.definition ->> 'on' = 'risk.entered'),
    assigned as (
      select distinct on (a.sequence_id, c.person_id) own.band, a.arm, a.assigned_at, e.subject_id
      from own join assignments a on a.sequence_id = own.id
        join contacts c on c.tenant_id = a.tenant_id and c.id = a.contact_id
        cross join lateral (select n.subject_id from enrollments n where n.tenant_id = a.tenant_id and n.sequence_id = a.sequence_id and n.contact_id = a.contact_id
          order by n.id limit 1) e
      where a.assigned_at > clock_timestamp() - interval '365 days'
      order by a.sequence_id, c.person_id, a.assigned_at, a.id)`;
