-- Take what these people are in the sums of arms with out of them, and put in what their rows say now. What stays as it is costs no write.
-- Source: docs/adr/0123-arms-are-kept-by-person.md
create function add_arms(tenant uuid, ids uuid[]) returns void language plpgsql
set search_path = pg_catalog, public set plan_cache_mode = force_custom_plan set enable_seqscan = off set jit = off as $$
begin
  with fresh as materialized (
    select f.* from public.figures_of_arms(tenant, ids, null, null, null) f),
  kept as materialized (
    select k.* from public.arm_figures k where k.tenant_id = tenant and k.person_id = any(ids)),
  gone as materialized (select k.* from kept k except all select f.* from fresh f),
  come as materialized (select f.* from fresh f except all select k.* from kept k),
  removed as (
    delete from public.arm_figures k using gone g
    where k.tenant_id = tenant and (k.person_id, k.kind, k.scope_id, k.step_id, k.variant) = (g.person_id, g.kind, g.scope_id, g.step_id, g.variant)
      and not exists (select from come n where (n.person_id, n.kind, n.scope_id, n.step_id, n.variant) = (g.person_id, g.kind, g.scope_id, g.step_id, g.variant))),
  stored as (
    insert into public.arm_figures as k select n.* from come n
    on conflict (tenant_id, person_id, kind, scope_id, step_id, variant) do update set
      shares = excluded.shares, assigned_at = excluded.assigned_at, people = excluded.people, converted = excluded.converted, opt_outs = excluded.opt_outs,
      complaints = excluded.complaints, refunds = excluded.refunds, sent = excluded.sent, opened = excluded.opened, clicked = excluded.clicked, revenue = excluded.revenue),
  change as materialized (
    select 1 as sign, n.* from come n
    union all
    select -1, g.* from gone g),
  moved as (
    select h.kind, h.scope_id, h.step_id, h.variant, h.shares, date_trunc('hour', h.assigned_at, 'UTC') as hour, '' as currency, sum(h.sign * h.people) as people,
      sum(h.sign * h.converted) as converted, sum(h.sign * h.opt_outs) as opt_outs, sum(h.sign * h.complaints) as complaints, sum(h.sign * h.refunds) as refunds,
      sum(h.sign * h.sent) as sent, sum(h.sign * h.opened) as opened, sum(h.sign * h.clicked) as clicked, 0::numeric as amount, 0::numeric as squares
    from change h group by 1, 2, 3, 4, 5, 6
    union all
    select h.kind, h.scope_id, h.step_id, h.variant, h.shares, date_trunc('hour', h.assigned_at, 'UTC'), r.key, 0, 0, 0, 0, 0, 0, 0, 0, sum(h.sign * r.value::numeric),
      sum(h.sign * r.value::numeric * r.value::numeric)
    from change h cross join lateral jsonb_each_text(h.revenue) r group by 1, 2, 3, 4, 5, 6, 7)
  insert into public.arm_sums as s (tenant_id, kind, scope_id, step_id, grain, starts_at, variant, shares, currency, people, converted, opt_outs, complaints, refunds, sent,
    opened, clicked, amount, squares)
  select tenant, m.kind, m.scope_id, m.step_id, g.grain, date_trunc(g.grain, m.hour, 'UTC'), m.variant, m.shares, m.currency, sum(m.people), sum(m.converted), sum(m.opt_outs),
    sum(m.complaints), sum(m.refunds), sum(m.sent), sum(m.opened), sum(m.clicked), sum(m.amount), sum(m.squares)
  from moved m cross join (values ('hour'), ('day')) as g(grain)
  where (m.people, m.converted, m.opt_outs, m.complaints, m.refunds, m.sent, m.opened, m.clicked, m.amount, m.squares) <> (0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
  group by 1, 2, 3, 4, 5, 6, 7, 8, 9
  on conflict (tenant_id, kind, scope_id, step_id, grain, starts_at, variant, shares, currency) do update set
    people = s.people + excluded.people, converted = s.converted + excluded.converted, opt_outs = s.opt_outs + excluded.opt_outs,
    complaints = s.complaints + excluded.complaints, refunds = s.refunds + excluded.refunds, sent = s.sent + excluded.sent, opened = s.opened + excluded.opened,
    clicked = s.clicked + excluded.clicked, amount = s.amount + excluded.amount, squares = s.squares + excluded.squares;
end $$;
