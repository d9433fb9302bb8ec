-- Forget answers to keyed requests that were kept long enough, and leases and minutes that are over. SECURITY DEFINER: it spans tenants, and the
-- application deletes none of these rows.
create function prune_requests() returns int
language sql security definer set search_path = pg_catalog, public as $$
  with answers as (delete from public.keyed_requests where kept_until < clock_timestamp() returning 1),
    leases as (delete from public.edit_leases where until < clock_timestamp() - interval '1 hour' returning 1),
    rates as (delete from public.request_rates where minute < extract(epoch from clock_timestamp()) / 60 - 60 returning 1)
  select ((select count(*) from answers) + (select count(*) from leases) + (select count(*) from rates))::int
$$;
