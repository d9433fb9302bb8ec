-- Trigger: append what a change of a message adds to the figures, what it counts for now less what it counted for before. SECURITY DEFINER: the
-- application may not write figures. Source: docs/adr/0013-figures-are-sums-kept-by-the-database.md
create function count_message() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  insert into public.sum_deltas (tenant_id, hour, subject_kind, segment, channel, steps, sent, opened, clicked)
  select * from (
    select m.tenant_id, date_trunc('hour', e.activated_at, 'UTC') as hour, e.subject_kind, e.segment, m.channel,
      sum(m.sign * public.counts_as_step(m.state)::int) as steps,
      sum(m.sign * public.counts_as_sent(m.state)::int) as sent,
      sum(m.sign * (public.counts_as_sent(m.state) and m.opened_at is not null)::int) as opened,
      sum(m.sign * (public.counts_as_sent(m.state) and m.clicked_at is not null)::int) as clicked
    from (values
        (1, new.tenant_id, new.enrollment_id, new.state, coalesce(new.channel, ''), new.opened_at, new.clicked_at),
        (-1, old.tenant_id, old.enrollment_id, old.state, coalesce(old.channel, ''), old.opened_at, old.clicked_at)
      ) as m(sign, tenant_id, enrollment_id, state, channel, opened_at, clicked_at)
      cross join lateral (
        select o.activated_at, public.kind_of_enrollment(o) as subject_kind, public.segment_of_enrollment(o) as segment
        from public.enrollments o
        where o.tenant_id = m.tenant_id and o.id = m.enrollment_id and o.activated_at is not null offset 0) e
    group by 1, 2, 3, 4, 5) d
  where (d.steps, d.sent, d.opened, d.clicked) <> (0, 0, 0, 0);
  return null;
end $$;
