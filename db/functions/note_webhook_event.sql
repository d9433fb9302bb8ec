-- Trigger: note a row for outgoing webhooks and live events, where an endpoint listens or somebody reads. Its argument is the source
-- (operations/webhooks/sources.ts). SECURITY DEFINER: as note_webhook_stories.
create function note_webhook_event() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  insert into public.webhook_events (tenant_id, id, source, ref_id)
  select new.tenant_id, gen_random_uuid(), tg_argv[0], new.id
  where exists (select from public.webhook_endpoints p where p.tenant_id = new.tenant_id and p.listens)
    or exists (select from public.live_readers l where l.tenant_id = new.tenant_id and l.until > clock_timestamp());
  return null;
end $$;
