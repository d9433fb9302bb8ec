-- The installation's own keys, sealed. SECURITY DEFINER: they belong to no tenant.
create function installation_keys()
returns table (name text, sealed text)
language sql stable security definer set search_path = pg_catalog, public as $$
  select k.name, k.sealed from public.installation_keys k order by k.name
$$;
