-- Forget when single addresses may get their next message, once that is an hour ago: then nothing holds it back. SECURITY DEFINER: it spans tenants,
-- and the application deletes no rates.
create function prune_send_rates() returns int
language sql security definer set search_path = pg_catalog, public as $$
  with gone as (
    delete from public.send_rates r where r.scope like 'address %' and r.free_at < clock_timestamp() - interval '1 hour' returning 1
  )
  select count(*)::int from gone
$$;
