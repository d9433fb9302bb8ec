import { type SQL, sql } from 'drizzle-orm';

/** The arms of a sequence or a test; `db/functions/figures_of_arms.sql` says what each kind counts. */
export interface ArmsPlace {
  kind: 'holdout' | 'band' | 'variant' | 'test' | 'message' | 'cap';
  /** The sequence or the test; all zeros where there is none. */
  scopeId: string | SQL;
  /** The step, `*` for the whole sequence; empty where there is none. */
  stepId: string | SQL;
}

/**
 * Rows to add up, as a table of a statement. None lies on both sides of a bound, so that it is right to ask whether its `at` is before one. Exact at every moment, folded or not.
 * Source: docs/adr/0123-arms-are-kept-by-person.md
 * @param bounds - an array of instants
 * @param withMarked - false: what is not folded is left to `markedArms`
 */
export const armPieces = ({ kind, scopeId, stepId }: ArmsPlace, bounds: SQL, withMarked = true): SQL =>
  sql`pieces_of_arms(${tenant}, ${kind}, ${scopeId}::uuid, ${stepId}::text, ${bounds}, ${withMarked}::boolean)`;

const tenant = sql`current_setting('app.tenant')::uuid`;

/**
 * Of many arms at once, what is to be added to sums that were read without what is not folded: the common table expression `marked_arms`, rows of `arm_figures` with a `sign`.
 * Arm by arm, each would compute everybody who is marked anew.
 */
export const markedArms = (kinds: readonly ArmsPlace['kind'][]): SQL => sql`marked_people as materialized (
      select array(select p.id from people_of_marks(${tenant}, n.marks) p(id)) as ids
      from (select array_agg(m) as marks from course_marks m where m.tenant_id = ${tenant} having count(*) > 0) n),
    marked_arms as materialized (
      select 1 as sign, f.* from marked_people n cross join unnest(${sql.param(kinds)}::text[]) k(kind) cross join lateral figures_of_arms(${tenant}, n.ids, k.kind, null, null) f
      union all
      select -1, k.* from marked_people n cross join unnest(n.ids) i(id) join arm_figures k on k.tenant_id = ${tenant} and k.person_id = i.id
      where k.kind = any(${sql.param(kinds)}::text[]))`;

/** People who were assigned before this instant have had so much time: to be compared with `<`, like every bound. @param within - an interval */
export const assignedBefore = (within: SQL): SQL => sql`clock_timestamp() - ${within} + interval '1 microsecond'`;
