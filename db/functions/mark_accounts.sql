-- Trigger: note which accounts' behaviour changed, once a statement: an import brings the behaviour of many. SECURITY DEFINER: the application may not write figures.
-- Source: docs/adr/0123-arms-are-kept-by-person.md
create function mark_accounts() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  -- Visits and the like say neither that somebody stayed nor what they bought, but that an intervention had an effect.
  insert into public.course_marks (tenant_id, account_id)
  select distinct c.tenant_id, c.subject_id from changed c
  where c.kind in ('order', 'message', 'call')
    or exists (select from public.enrollments e where e.tenant_id = c.tenant_id and e.subject_id = c.subject_id and e.subject_kind = 'account');
  return null;
end $$;
