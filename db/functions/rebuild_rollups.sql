create function rebuild_rollups() returns void language plpgsql set search_path = pg_catalog, public as $$
begin
  perform pg_advisory_xact_lock(hashtext('rekindle.rollups'));
  lock table public.enrollments, public.messages, public.conversions in share row exclusive mode;
  delete from public.sum_deltas;
  delete from public.sums;
  insert into public.sum_deltas (tenant_id, hour, subject_kind, segment, channel, currency,
    started, purchased, steps, sent, opened, clicked, orders, revenue_minor, gross_minor, refunded_minor, cancelled_orders,
    unknown_orders)
  select e.tenant_id, date_trunc('hour', e.activated_at, 'UTC'), public.kind_of_enrollment(e), public.segment_of_enrollment(e), f.channel, f.currency,
    sum(f.started), sum(f.purchased), sum(f.steps), sum(f.sent), sum(f.opened), sum(f.clicked), sum(f.orders), sum(f.revenue_minor),
    sum(f.gross_minor), sum(f.refunded_minor), sum(f.cancelled_orders), sum(f.unknown_orders)
  from public.enrollments e cross join lateral public.figures_of_enrollment_3(e.tenant_id, e.id, e.stop_reason) f
  where e.activated_at is not null
  group by 1, 2, 3, 4, 5, 6;
  while public.fold_rollups(100000) > 0 loop end loop;
end $$;
