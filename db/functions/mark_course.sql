-- Trigger: note whose figures a change may alter. It computes none: a writer must not wait for a sum, nor see what another one is about to commit. SECURITY DEFINER: the
-- application may not write figures. Source: docs/adr/0110-what-became-of-people-is-kept.md
create function mark_course() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  case tg_argv[0]
    when 'subjects' then
      insert into public.course_marks (tenant_id, subject_id) values (new.tenant_id, new.id);
    when 'enrollments', 'campaign_leads' then
      insert into public.course_marks (tenant_id, subject_id) values (new.tenant_id, new.subject_id);
      if tg_op = 'UPDATE' then
        if old.subject_id <> new.subject_id then insert into public.course_marks (tenant_id, subject_id) values (old.tenant_id, old.subject_id); end if;
      end if;
    when 'messages' then
      insert into public.course_marks (tenant_id, enrollment_id) values (new.tenant_id, new.enrollment_id);
    when 'conversions' then
      if new.enrollment_id is not null then
        insert into public.course_marks (tenant_id, enrollment_id) values (new.tenant_id, new.enrollment_id);
      end if;
      if tg_op = 'UPDATE' then
        if old.enrollment_id is not null and old.enrollment_id is distinct from new.enrollment_id then
          insert into public.course_marks (tenant_id, enrollment_id) values (old.tenant_id, old.enrollment_id);
        end if;
      end if;
    when 'calls', 'message_events' then
      insert into public.course_marks (tenant_id, message_id) values (new.tenant_id, new.message_id);
    when 'tenants' then
      insert into public.course_marks (tenant_id) values (new.id);
  end case;
  return null;
end $$;
