-- Trigger: append how many more or fewer enrollments of a version have not ended. SECURITY DEFINER: the application may not write counts.
-- Source: docs/adr/0128-open-enrollments-are-counted-as-they-change.md
create function count_open() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan as $$
begin
  if tg_op = 'UPDATE' then
    if old.ended_at is null then
      insert into public.open_counts (tenant_id, sequence_id, version_id, change) values (old.tenant_id, old.sequence_id, old.version_id, -1);
    end if;
  end if;
  if new.ended_at is null then
    insert into public.open_counts (tenant_id, sequence_id, version_id, change) values (new.tenant_id, new.sequence_id, new.version_id, 1);
  end if;
  return null;
end $$;
