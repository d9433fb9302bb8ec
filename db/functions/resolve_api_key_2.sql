-- The tenant of an API key, what it may, and when it was used last. SECURITY DEFINER: the tenant is not known yet.
create function resolve_api_key_2(wanted_hash text)
returns table (tenant_id uuid, id uuid, role text, last_used_at timestamptz)
language sql stable security definer set search_path = pg_catalog, public as $$
  select k.tenant_id, k.id, k.role, k.last_used_at from public.api_keys k
  where k.hash = wanted_hash and k.revoked_at is null and coalesce(k.expires_at > clock_timestamp(), true)
$$;
