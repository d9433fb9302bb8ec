-- Three figures for /healthz and /metrics. SECURITY DEFINER: they span tenants, and name none.
create function quarantine_backlog()
returns table (open bigint, may_be_stops bigint, oldest_stop_ms double precision)
language sql stable security definer set search_path = pg_catalog, public as $$
  select count(*), count(*) filter (where q.may_be_stop),
    coalesce(extract(epoch from clock_timestamp() - min(q.received_at) filter (where q.may_be_stop)) * 1000, 0)::double precision
  from public.quarantine q where q.released_at is null
$$;
