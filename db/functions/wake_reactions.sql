-- Trigger: a message was opened or clicked, or a person asked for later. Where the sequence reacts to it, its workflow is told to look again.
-- Opens and clicks are counted by our links and by a later sign of life (count_suspected_clicks), so a trigger misses none.
create or replace function wake_reactions() returns trigger language plpgsql
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  happened_in uuid; awaited jsonpath; named jsonb := '{}';
begin
  if tg_table_name = 'messages' then
    happened_in := new.enrollment_id;
    awaited := '$.steps[*].on ? (@.step == $step)';
    named := jsonb_build_object('step', new.step_id);
  else
    happened_in := new.id;
    awaited := '$.steps[*].on ? (@.event == "asked_later")';
  end if;
  insert into outbox (tenant_id, enrollment_id, kind)
  select e.tenant_id, e.id, 'wake'
  from enrollments e join sequence_versions v on v.tenant_id = e.tenant_id and v.id = e.version_id
  where e.tenant_id = new.tenant_id and e.id = happened_in and e.ended_at is null and jsonb_path_exists(v.definition, awaited, named);
  return null;
end $$;
