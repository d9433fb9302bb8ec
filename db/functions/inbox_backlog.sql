-- Two figures for /metrics. SECURITY DEFINER: they span tenants, and name none.
create function inbox_backlog()
returns table (waiting bigint, oldest_ms double precision)
language sql stable security definer set search_path = pg_catalog, public as $$
  select count(*), coalesce(extract(epoch from clock_timestamp() - min(i.received_at)) * 1000, 0)::double precision
  from public.inbox i where i.state = 'pending'
$$;
