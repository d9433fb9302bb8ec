-- Trigger: note that a store judges its interventions by other settings. SECURITY DEFINER: the application may not write figures.
-- Source: docs/adr/0126-what-interventions-count-for-is-kept.md
create function mark_interventions() returns trigger language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  insert into public.intervention_marks (tenant_id) values (new.id);
  return null;
end $$;
