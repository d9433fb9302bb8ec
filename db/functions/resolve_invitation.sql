-- The store of an invitation that can still be accepted. SECURITY DEFINER: the tenant is not known yet.
create function resolve_invitation(wanted_hash text)
returns table (tenant_id uuid, id uuid, slug text, name text, email text, role text, expires_at timestamptz)
language sql stable security definer set search_path = pg_catalog, public as $$
  select i.tenant_id, i.id, t.slug, t.name, i.email, i.role, i.expires_at
  from public.invitations i join public.tenants t on t.id = i.tenant_id
  where i.token_hash = wanted_hash and i.accepted_at is null and i.revoked_at is null and i.expires_at > clock_timestamp()
$$;
