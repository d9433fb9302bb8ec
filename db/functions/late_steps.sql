-- Two figures for /healthz and /metrics. SECURITY DEFINER: they span tenants, and name none.
create function late_steps(within_ms double precision)
returns table (steps bigint, worst_ms bigint)
language sql stable security definer set search_path = pg_catalog, public as $$
  select coalesce(sum(l.steps), 0), coalesce(max(l.worst_ms), 0) from public.lateness l
  where l.at > clock_timestamp() - make_interval(secs => within_ms / 1000.0)
$$;
