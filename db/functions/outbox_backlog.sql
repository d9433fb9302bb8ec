-- Two figures for /healthz and /metrics. SECURITY DEFINER: they span tenants, and name none.
create function outbox_backlog()
returns table (waiting bigint, oldest_ms double precision)
language sql stable security definer set search_path = pg_catalog, public as $$
  select count(*), coalesce(extract(epoch from clock_timestamp() - min(o.created_at)) * 1000, 0)::double precision from public.outbox o
$$;
