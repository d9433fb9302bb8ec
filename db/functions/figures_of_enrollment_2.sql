-- Nothing calls this since 0016: triggers and `rebuild_rollups` use `figures_of_enrollment_3`. Kept for the build before; drop it with
-- `counts_as_mail` in the release after.
create function figures_of_enrollment_2(tenant uuid, enrollment uuid, stop_reason text)
returns table (currency text, started int, purchased int, steps int, mails int, opened int, clicked int, orders int, revenue_minor bigint,
  gross_minor bigint, refunded_minor bigint, cancelled_orders int, unknown_orders int)
language sql stable
begin atomic
  select '', 1, (stop_reason is not distinct from 'purchased')::int, 0, 0, 0, 0, 0, 0::bigint, 0::bigint, 0::bigint, 0, 0
  union all
  select '', 0, 0, counts_as_step(m.state)::int, counts_as_mail(m.state, m.channel)::int,
    (counts_as_mail(m.state, m.channel) and m.opened_at is not null)::int, (counts_as_mail(m.state, m.channel) and m.clicked_at is not null)::int,
    0, 0, 0, 0, 0, 0
  from messages m where m.tenant_id = tenant and m.enrollment_id = enrollment
  union all
  select f.currency, 0, 0, 0, 0, 0, 0, f.orders, f.net_minor, f.gross_minor, f.refunded_minor, f.cancelled_orders, f.unknown_orders
  from conversions c cross join lateral figures_of_order(c) f where c.tenant_id = tenant and c.enrollment_id = enrollment;
end;
