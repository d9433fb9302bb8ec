-- The stores of which interventions are to be judged anew by now. SECURITY DEFINER: it spans tenants.
-- Source: docs/adr/0126-what-interventions-count-for-is-kept.md
create function stores_with_stale_interventions(at timestamptz) returns table (tenant_id uuid)
language sql stable security definer set search_path = pg_catalog, public set enable_seqscan = off as $$
  select t.id from public.tenants t
  where exists (select from public.intervention_marks m where m.tenant_id = t.id)
    or exists (select from public.intervention_figures f where f.tenant_id = t.id and f.changes_at <= at)
$$;
