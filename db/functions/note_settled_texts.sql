-- Trigger: note with a model's texts that their step is settled, or may be tried again, or that their sequence has ended. SECURITY DEFINER: a dispatch may not write texts.
-- The row is locked in a statement of its own: only what is read afterwards sees an end that was committed meanwhile.
create function note_settled_texts() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  if tg_argv[0] = 'enrollments' then
    update public.compositions c set is_over = true where c.tenant_id = new.tenant_id and c.enrollment_id = new.id and not c.is_over;
    return null;
  end if;
  perform from public.compositions c where c.tenant_id = new.tenant_id and c.enrollment_id = new.enrollment_id and c.step_id = new.step_id for no key update;
  if found then
    update public.compositions c
    set is_over = new.state <> 'failed' or exists (select from public.enrollments e where e.tenant_id = new.tenant_id and e.id = new.enrollment_id and e.ended_at is not null)
    where c.tenant_id = new.tenant_id and c.enrollment_id = new.enrollment_id and c.step_id = new.step_id;
  end if;
  return null;
end $$;
