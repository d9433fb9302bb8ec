-- Trigger: how many mistakes an import has.
create function count_mistakes() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  update public.imports i set mistakes = i.mistakes + f.n
  from (select x.tenant_id, x.import_id, count(*)::int as n from found x group by 1, 2) f where i.tenant_id = f.tenant_id and i.id = f.import_id;
  return null;
end $$;
