-- Trigger: append what a change of an order adds to the figures, what it counts for now less what it counted for before. SECURITY DEFINER: the
-- application may not write figures. Source: docs/adr/0013-figures-are-sums-kept-by-the-database.md
create function count_conversion() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  insert into public.sum_deltas (tenant_id, hour, subject_kind, segment, currency, orders, revenue_minor, gross_minor, refunded_minor,
    cancelled_orders, unknown_orders)
  select * from (
    select (c.o).tenant_id, date_trunc('hour', e.activated_at, 'UTC') as hour, e.subject_kind, e.segment, f.currency,
      sum(c.sign * f.orders) as orders, sum(c.sign * f.net_minor) as revenue_minor, sum(c.sign * f.gross_minor) as gross_minor,
      sum(c.sign * f.refunded_minor) as refunded_minor, sum(c.sign * f.cancelled_orders) as cancelled_orders,
      sum(c.sign * f.unknown_orders) as unknown_orders
    from (values (1, new), (-1, old)) as c(sign, o)
      cross join lateral public.figures_of_order(c.o) f
      cross join lateral (
        select p.activated_at, public.kind_of_enrollment(p) as subject_kind, public.segment_of_enrollment(p) as segment
        from public.enrollments p
        where p.tenant_id = (c.o).tenant_id and p.id = (c.o).enrollment_id and p.activated_at is not null offset 0) e
    group by 1, 2, 3, 4, 5) d
  where (d.orders, d.revenue_minor, d.gross_minor, d.refunded_minor, d.cancelled_orders, d.unknown_orders) <> (0, 0, 0, 0, 0, 0);
  return null;
end $$;
