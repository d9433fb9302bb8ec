-- The tenant of an API key. SECURITY DEFINER: the tenant is not known yet.
create function resolve_api_key(wanted_hash text)
returns table (tenant_id uuid, id uuid)
language sql stable security definer set search_path = pg_catalog, public as $$
  select k.tenant_id, k.id from public.api_keys k where k.hash = wanted_hash and k.revoked_at is null
$$;
