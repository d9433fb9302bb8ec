-- Add up to `max_rows` deltas to their sums; returns how many there were, 0 also while another process folds. SECURITY DEFINER: it spans
-- tenants, and the application may not write sums. Source: docs/adr/0013-figures-are-sums-kept-by-the-database.md
create function fold_rollups(max_rows int) returns int language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  folded int;
begin
  if not pg_try_advisory_xact_lock(hashtext('rekindle.rollups')) then return 0; end if;
  with taken as (
    delete from public.sum_deltas
    where ctid = any(array(select d.ctid from public.sum_deltas d order by d.tenant_id, d.hour, d.seq limit max_rows))
    returning *
  ), added as (
    insert into public.sums as r (tenant_id, grain, starts_at, subject_kind, segment, channel, currency,
      started, purchased, steps, sent, opened, clicked, orders, revenue_minor, gross_minor, refunded_minor, cancelled_orders,
      unknown_orders)
    select d.tenant_id, g.grain, date_trunc(g.grain, d.hour, 'UTC'), d.subject_kind, d.segment, d.channel, d.currency,
      sum(d.started), sum(d.purchased), sum(d.steps), sum(d.sent), sum(d.opened), sum(d.clicked), sum(d.orders), sum(d.revenue_minor),
      sum(d.gross_minor), sum(d.refunded_minor), sum(d.cancelled_orders), sum(d.unknown_orders)
    from taken d
      -- A tenant that was erased meanwhile has no figures.
      join public.tenants t on t.id = d.tenant_id
      cross join (values ('hour'), ('day')) as g(grain)
    group by 1, 2, 3, 4, 5, 6, 7
    on conflict (tenant_id, grain, starts_at, subject_kind, segment, channel, currency) do update set
      started = r.started + excluded.started, purchased = r.purchased + excluded.purchased, steps = r.steps + excluded.steps,
      sent = r.sent + excluded.sent, opened = r.opened + excluded.opened, clicked = r.clicked + excluded.clicked,
      orders = r.orders + excluded.orders, revenue_minor = r.revenue_minor + excluded.revenue_minor,
      gross_minor = r.gross_minor + excluded.gross_minor, refunded_minor = r.refunded_minor + excluded.refunded_minor,
      cancelled_orders = r.cancelled_orders + excluded.cancelled_orders, unknown_orders = r.unknown_orders + excluded.unknown_orders
  )
  select count(*) into folded from taken;
  -- So that whoever folds goes on while either is behind.
  if public.fold_open_counts(max_rows) = max_rows then return max_rows; end if;
  return folded;
end $$;
