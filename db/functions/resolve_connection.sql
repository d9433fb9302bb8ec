-- A connection that a webhook's URL names, with its tenant. SECURITY DEFINER: the tenant is not known yet.
create function resolve_connection(wanted_integration text, wanted_id uuid)
returns table (tenant_id uuid, id uuid, secrets jsonb, state text, slug text, settings jsonb, time_scale double precision)
language plpgsql stable security definer set search_path = pg_catalog, public as $$
begin
  if wanted_id is null then
    -- Without an id: only where the installation has exactly one connected account of that integration.
    select min(c.id::text)::uuid into wanted_id from public.connections c
    where c.integration = wanted_integration and c.state = 'connected' having count(*) = 1;
  end if;
  return query
    select c.tenant_id, c.id, c.secrets, c.state, t.slug, t.settings, t.time_scale
    from public.connections c join public.tenants t on t.id = c.tenant_id
    where c.integration = wanted_integration and c.id = wanted_id;
end $$;
