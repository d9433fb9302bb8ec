-- Trigger: append what a change of an enrollment adds to the figures, what it counts for now less what it counted for before. SECURITY DEFINER: the
-- application may not write figures. Source: docs/adr/0013-figures-are-sums-kept-by-the-database.md
create function count_enrollment() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  insert into public.sum_deltas (tenant_id, hour, subject_kind, segment, channel, currency,
    started, purchased, steps, sent, opened, clicked, orders, revenue_minor, gross_minor, refunded_minor, cancelled_orders,
    unknown_orders)
  select * from (
    select e.tenant_id, date_trunc('hour', e.activated_at, 'UTC') as hour, e.subject_kind, e.segment, f.channel, f.currency,
      sum(e.sign * f.started) as started, sum(e.sign * f.purchased) as purchased, sum(e.sign * f.steps) as steps,
      sum(e.sign * f.sent) as sent, sum(e.sign * f.opened) as opened, sum(e.sign * f.clicked) as clicked,
      sum(e.sign * f.orders) as orders, sum(e.sign * f.revenue_minor) as revenue_minor, sum(e.sign * f.gross_minor) as gross_minor,
      sum(e.sign * f.refunded_minor) as refunded_minor, sum(e.sign * f.cancelled_orders) as cancelled_orders,
      sum(e.sign * f.unknown_orders) as unknown_orders
    from (values
        (1, new.tenant_id, new.id, new.activated_at, public.kind_of_enrollment(new), public.segment_of_enrollment(new), new.stop_reason),
        (-1, old.tenant_id, old.id, old.activated_at, public.kind_of_enrollment(old), public.segment_of_enrollment(old), old.stop_reason)
      ) as e(sign, tenant_id, id, activated_at, subject_kind, segment, stop_reason)
      cross join lateral public.figures_of_enrollment_3(e.tenant_id, e.id, e.stop_reason) f
    where e.activated_at is not null
    group by 1, 2, 3, 4, 5, 6) d
  where (d.started, d.purchased, d.steps, d.sent, d.opened, d.clicked, d.orders, d.revenue_minor, d.gross_minor, d.refunded_minor,
    d.cancelled_orders, d.unknown_orders)
    <> (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  return null;
end $$;
