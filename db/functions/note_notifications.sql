-- Trigger: a notification for every target of the owner, when a task is opened or given to somebody, and when its owner is reminded. Whoever accepts a task knows of it.
-- Ids begin with their time (version 7), so that lists are in order. SECURITY DEFINER: as note_webhook_event.
create function note_notifications() returns trigger language plpgsql security definer
set search_path = pg_catalog, public as $$
begin
  insert into public.notifications (tenant_id, id, task_id, target_id, cause, reminder)
  select new.tenant_id,
    (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7' || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid,
    new.id, t.id, tg_argv[0], case when tg_argv[1] = 'reminder' then new.reminders end
  from public.notification_targets t
  where t.tenant_id = new.tenant_id and t.removed_at is null and t.owner is not distinct from new.owner
    and (t.kinds = '[]'::jsonb or t.kinds ? new.kind);
  return null;
end $$;
