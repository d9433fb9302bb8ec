-- Add up to so many changes to the count of their version; returns how many there were. Called by `fold_rollups`, under its lock. SECURITY DEFINER: it spans tenants, and the
-- application may not write counts. Source: docs/adr/0128-open-enrollments-are-counted-as-they-change.md
create function fold_open_counts(max_rows int) returns int language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  folded_rows int;
begin
  with taken as (
    delete from public.open_counts
    where ctid = any(array(select d.ctid from public.open_counts d where not d.folded order by d.tenant_id, d.seq limit max_rows))
    returning *
  ), added as (
    insert into public.open_counts as o (tenant_id, sequence_id, version_id, change, folded)
    select d.tenant_id, d.sequence_id, d.version_id, sum(d.change), true
    from taken d
      -- A tenant that was erased meanwhile has no counts.
      join public.tenants t on t.id = d.tenant_id
    group by 1, 2, 3
    on conflict (tenant_id, version_id) where folded do update set change = o.change + excluded.change
  )
  select count(*) into folded_rows from taken;
  return folded_rows;
end $$;
