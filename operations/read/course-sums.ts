import { type SQL, sql } from 'drizzle-orm';

const dayMs = 86_400_000;
const names = [
  ...['cases', 'leads', 'held_out', 'still_open', 'completed', 'converted', 'dropped', 'executed', 'failed', 'delivered', 'opened', 'machine_opened'],
  ...['clicked', 'replied', 'answered', 'amount', 'squares'],
];
const measures = sql.raw(names.join(', '));
const places = 'sequence_id, version_id, campaign_id, subject_kind, source, imported, step_id, channel, reason, slot, currency';
const nothing = sql.raw(`'00000000-0000-0000-0000-000000000000'::uuid`);
const ofJson = sql`coalesce(r.sequence_id, ${nothing}), coalesce(r.version_id, ${nothing}), coalesce(r.campaign_id, ${nothing}), coalesce(r.subject_kind, ''), coalesce(r.source, ''),
  coalesce(r.imported, false), coalesce(r.step_id, ''), coalesce(r.channel, ''), coalesce(r.reason, ''), coalesce(r.slot, 0), coalesce(r.currency, '')`;
const plus = sql.raw(names.map((name) => `coalesce(r.${name}, 0)`).join(', '));
const minus = sql.raw(names.map((name) => `-coalesce(r.${name}, 0)`).join(', '));

/** What is summed up; `db/functions/figures_of_courses.sql` says what each holds. */
export type CourseTopic = 'course' | 'won' | 'end' | 'watched' | 'step' | 'revenue' | 'silence' | 'silence_step' | 'funnel' | 'cap' | 'campaign';

/** The beginning of the UTC day of an instant, epoch milliseconds: sums begin there. */
export const startOfDay = (ms: number) => Math.floor(ms / dayMs) * dayMs;

/**
 * Rows to add up, as a table of a statement: whole months where there are any, days before them, and what is not folded in yet, taken from its rows. One statement, so one
 * snapshot of all of it: exact at every moment. Source: docs/adr/0110-what-became-of-people-is-kept.md
 * @param sinceMs - the window begins at the beginning of this UTC day, epoch milliseconds
 * @param days - by days alone: for topics whose rows are read by their day
 */
export function courseSums(
  tenantId: string,
  { topics, sinceMs, sequenceId, days = false }: { topics: readonly CourseTopic[]; sinceMs: number; sequenceId?: string; days?: boolean },
): SQL {
  const from = new Date(startOfDay(sinceMs)).toISOString();
  const month = new Date(sinceMs);
  const firstMonth = days
    ? 'infinity'
    : new Date(
        Date.UTC(
          month.getUTCFullYear(),
          month.getUTCMonth() + (startOfDay(sinceMs) === Date.UTC(month.getUTCFullYear(), month.getUTCMonth()) ? 0 : 1),
        ),
      ).toISOString();
  const wanted = sql`topic = any(${sql.param(topics)}::text[]) and ${sequenceId === undefined ? sql`true` : sql`sequence_id = ${sequenceId}::uuid`}`;
  const wantedOfJson = sql`r.topic = any(${sql.param(topics)}::text[]) and r.starts_at >= ${from}::timestamptz
    and ${sequenceId === undefined ? sql`true` : sql`r.sequence_id = ${sequenceId}::uuid`}`;
  const columns = sql`topic, starts_at, ${sql.raw(places)}, ${measures}`;
  return sql`(
    with marked as materialized (select m.id from subjects_of_marks(${tenantId}::uuid) m(id))
    select ${columns} from course_sums where grain = 'month' and ${wanted} and starts_at >= ${firstMonth}::timestamptz
    union all
    select ${columns} from course_sums where grain = 'day' and ${wanted} and starts_at >= ${from}::timestamptz and starts_at < ${firstMonth}::timestamptz
    union all
    select r.topic, r.starts_at, ${ofJson}, ${minus}
    from ${together(sql`select o.figure from marked m join course_figures k on k.tenant_id = ${tenantId}::uuid and k.subject_id = m.id
      cross join lateral jsonb_array_elements(k.figures) o(figure) where o.figure ->> 'topic' = any(${sql.param(topics)}::text[])`)}
    where ${wantedOfJson}
    union all
    select r.topic, r.starts_at, ${ofJson}, ${plus}
    from ${together(sql`select c.figure from (select array_agg(m.id) as ids from marked m having count(*) > 0) a
      cross join lateral figures_of_courses(${tenantId}::uuid, a.ids) c where c.figure ->> 'topic' = any(${sql.param(topics)}::text[])`)}
    where ${wantedOfJson})`;
}

/** These figures as rows `r`. A call for some thousands of them: one for each takes longer than everything else, and one for all would build a document without bounds. */
const together = (figures: SQL): SQL => sql`(
      select jsonb_agg(n.figure) as some from (select f.figure, row_number() over () / 5000 as part from (${figures}) f) n group by n.part) p
      cross join lateral jsonb_populate_recordset(null::course_sums, p.some) r`;
