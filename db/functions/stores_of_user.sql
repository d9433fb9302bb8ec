-- The stores that a person may come into, and as what. SECURITY DEFINER: it spans tenants.
create function stores_of_user(wanted_user uuid)
returns table (tenant_id uuid, slug text, name text, role text)
language sql stable security definer set search_path = pg_catalog, public as $$
  select t.id, t.slug, t.name, m.role from public.members m join public.tenants t on t.id = m.tenant_id
  where m.user_id = wanted_user order by t.slug
$$;
