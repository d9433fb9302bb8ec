-- Trigger: whether the step of this text is settled, or its sequence ended. A text that is asked for afterwards knows it from the beginning.
create function watch_composition() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  new.is_over := exists (select from public.messages m where m.tenant_id = new.tenant_id and m.enrollment_id = new.enrollment_id and m.step_id = new.step_id and m.state <> 'failed')
    or exists (select from public.enrollments e where e.tenant_id = new.tenant_id and e.id = new.enrollment_id and e.ended_at is not null);
  return new;
end $$;
