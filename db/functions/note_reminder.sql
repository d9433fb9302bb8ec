-- Trigger: the reminder of a lead that left a chat has gone out, or may have: it is the only one that the lead ever gets. Whatever settles the message
-- sets the flag in the same transaction. Source: docs/rules.md#rule-66
create function note_reminder() returns trigger language plpgsql
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  run record;
begin
  select e.subject_id, e.version_id into run from public.enrollments e
  where e.tenant_id = new.tenant_id and e.id = new.enrollment_id and e.subject_kind = 'lead';
  if found and exists (
      select from public.sequence_versions v where v.tenant_id = new.tenant_id and v.id = run.version_id and v.definition ->> 'on' = 'chat.ghosted') then
    update public.subjects s set ghost_reminder_sent = true
    where s.tenant_id = new.tenant_id and s.id = run.subject_id and not s.ghost_reminder_sent;
  end if;
  return null;
end $$;
