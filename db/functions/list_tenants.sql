-- All tenants, without their settings. SECURITY DEFINER: it spans tenants.
create function list_tenants()
returns table (id uuid, slug text, name text, time_scale double precision, synthetic boolean)
language sql stable security definer set search_path = pg_catalog, public as $$
  select t.id, t.slug, t.name, t.time_scale, t.synthetic from public.tenants t order by t.id
$$;
