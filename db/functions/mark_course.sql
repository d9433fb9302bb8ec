-- Trigger: note whose figures a change may alter. It computes none: a writer must not wait for a sum, nor see what another one is about to commit. SECURITY DEFINER: the
-- application may not write figures. Source: docs/adr/0110-what-became-of-people-is-kept.md
create function mark_course() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  case tg_argv[0]
    when 'subjects' then
      insert into public.course_marks (tenant_id, subject_id) values (new.tenant_id, new.id);
    when 'enrollments' then
      insert into public.course_marks (tenant_id, subject_id, contact_id) values (new.tenant_id, new.subject_id, new.contact_id);
      if tg_op = 'UPDATE' then
        if (old.subject_id, old.contact_id) <> (new.subject_id, new.contact_id) then
          insert into public.course_marks (tenant_id, subject_id, contact_id) values (old.tenant_id, old.subject_id, old.contact_id);
        end if;
      end if;
    when 'campaign_leads' then
      insert into public.course_marks (tenant_id, subject_id) values (new.tenant_id, new.subject_id);
      if tg_op = 'UPDATE' then
        if old.subject_id <> new.subject_id then insert into public.course_marks (tenant_id, subject_id) values (old.tenant_id, old.subject_id); end if;
      end if;
    when 'messages', 'of enrollments' then
      insert into public.course_marks (tenant_id, enrollment_id) values (new.tenant_id, new.enrollment_id);
    when 'conversions' then
      insert into public.course_marks (tenant_id, enrollment_id, contact_id) values (new.tenant_id, new.enrollment_id, new.contact_id);
      if tg_op = 'UPDATE' then
        if (old.enrollment_id, old.contact_id) is distinct from (new.enrollment_id, new.contact_id) and num_nonnulls(old.enrollment_id, old.contact_id) > 0 then
          insert into public.course_marks (tenant_id, enrollment_id, contact_id) values (old.tenant_id, old.enrollment_id, old.contact_id);
        end if;
      end if;
    when 'assigned' then
      insert into public.course_marks (tenant_id, contact_id) values (new.tenant_id, new.contact_id);
    when 'contacts' then
      insert into public.course_marks (tenant_id, contact_id) values (new.tenant_id, new.id);
      if old.person_id <> new.person_id then insert into public.course_marks (tenant_id, contact_id) values (old.tenant_id, old.person_id); end if;
    when 'sequences' then
      -- Nearly every new version has the same window: then nobody counts for anything else.
      if (select jsonb_build_array(v.definition -> 'goal' -> 'withinMs', v.definition ->> 'on' = 'risk.entered') from public.sequence_versions v
          where v.tenant_id = old.tenant_id and v.id = old.current_version_id)
        is distinct from (select jsonb_build_array(v.definition -> 'goal' -> 'withinMs', v.definition ->> 'on' = 'risk.entered') from public.sequence_versions v
          where v.tenant_id = new.tenant_id and v.id = new.current_version_id) then
        insert into public.course_marks (tenant_id, scope_id) values (new.tenant_id, new.id);
      end if;
    when 'predictions' then
      insert into public.course_marks (tenant_id, scope_id) select s.tenant_id, s.id from public.sequences s where s.tenant_id = new.id;
    when 'calls', 'message_events' then
      insert into public.course_marks (tenant_id, message_id) values (new.tenant_id, new.message_id);
    when 'tenants' then
      insert into public.course_marks (tenant_id) values (new.id);
  end case;
  return null;
end $$;
