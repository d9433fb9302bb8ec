-- Rows to add up: what the people of these arms count for, by the time of their assignment. No row lies on both sides of a bound, so that a sum from a bound on, or up to before it,
-- is exact to the microsecond: days that have no bound in them, hours of the other days, and of hours that a bound divides, each person. What is not folded in yet is taken from
-- the rows; `with_marked` is false where the caller does that for many arms at once. One statement, so one snapshot of all of it. Source: docs/adr/0123-arms-are-kept-by-person.md
create function pieces_of_arms(tenant uuid, of_kind text, of_scope uuid, of_step text, bounds timestamptz[], with_marked boolean)
returns table (step_id text, variant text, shares jsonb, currency text, at timestamptz, people bigint, converted bigint, opt_outs bigint, complaints bigint, refunds bigint,
  sent bigint, opened bigint, clicked bigint, amount numeric, squares numeric)
language plpgsql stable set search_path = pg_catalog, public set plan_cache_mode = force_custom_plan set enable_seqscan = off set jit = off as $$
declare
  days timestamptz[] := array(select distinct date_trunc('day', b, 'UTC') from unnest(bounds) b where b <> date_trunc('day', b, 'UTC'));
  hours timestamptz[] := array(select distinct date_trunc('hour', b, 'UTC') from unnest(bounds) b where b <> date_trunc('hour', b, 'UTC'));
  marks public.course_marks[] := array(select m from public.course_marks m where m.tenant_id = tenant and with_marked);
begin
  return query
  with marked as materialized (select p.id from public.people_of_marks(tenant, marks) p(id) where cardinality(marks) > 0),
  each as (
    -- Hour by hour: in one go all people of the arms are read, and most of them left out.
    select 1 as sign, k.* from unnest(hours) h cross join lateral (
      select f.* from public.arm_figures f
      where f.tenant_id = tenant and f.kind = of_kind and f.scope_id = of_scope and f.step_id = of_step and f.assigned_at >= h and f.assigned_at < h + interval '1 hour' offset 0) k
    union all
    select -1, k.* from marked m join public.arm_figures k on k.person_id = m.id
    where k.tenant_id = tenant and k.kind = of_kind and k.scope_id = of_scope and k.step_id = of_step
    union all
    select 1, f.* from (select array_agg(m.id) as ids from marked m having count(*) > 0) a cross join lateral public.figures_of_arms(tenant, a.ids, of_kind, of_scope, of_step) f)
  select s.step_id, s.variant, s.shares, s.currency, s.starts_at, s.people, s.converted, s.opt_outs, s.complaints, s.refunds, s.sent, s.opened, s.clicked, s.amount, s.squares
  from public.arm_sums s
  where s.tenant_id = tenant and s.kind = of_kind and s.scope_id = of_scope and s.step_id = of_step and s.grain = 'day' and not s.starts_at = any(days)
  union all
  select s.step_id, s.variant, s.shares, s.currency, s.starts_at, s.people, s.converted, s.opt_outs, s.complaints, s.refunds, s.sent, s.opened, s.clicked, s.amount, s.squares
  from unnest(days) d cross join lateral (
    select n.* from public.arm_sums n
    where n.tenant_id = tenant and n.kind = of_kind and n.scope_id = of_scope and n.step_id = of_step and n.grain = 'hour' and n.starts_at >= d and n.starts_at < d + interval '24 hours'
      and not n.starts_at = any(hours) offset 0) s
  union all
  select e.step_id, e.variant, e.shares, '', e.assigned_at, e.sign * e.people::bigint, e.sign * e.converted::bigint, e.sign * e.opt_outs::bigint, e.sign * e.complaints::bigint,
    e.sign * e.refunds::bigint, e.sign * e.sent::bigint, e.sign * e.opened::bigint, e.sign * e.clicked::bigint, 0, 0
  from each e
  union all
  select e.step_id, e.variant, e.shares, r.key, e.assigned_at, 0, 0, 0, 0, 0, 0, 0, 0, e.sign * r.value::numeric, e.sign * r.value::numeric * r.value::numeric
  from each e cross join lateral jsonb_each_text(e.revenue) r;
end $$;
