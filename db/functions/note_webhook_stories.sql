-- Trigger: note the new entries of enrollments' stories for outgoing webhooks and live events, in the transaction that writes them, where an endpoint
-- listens or somebody reads. A statement's rows at once. SECURITY DEFINER: entries are also written by functions that act for no tenant.
-- Source: docs/adr/0067-outgoing-webhooks.md
create function note_webhook_stories() returns trigger language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  insert into public.webhook_events (tenant_id, id, source, ref_id)
  select n.tenant_id, gen_random_uuid(), 'story', n.id
  from new_rows n
  where exists (select from public.webhook_endpoints p where p.tenant_id = n.tenant_id and p.listens)
    or exists (select from public.live_readers l where l.tenant_id = n.tenant_id and l.until > clock_timestamp())
  order by n.id;
  return null;
end $$;
