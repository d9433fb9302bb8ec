-- Delete up to `most` events of outgoing webhooks that are older than `kept`, with their deliveries and attempts. SECURITY DEFINER: it spans tenants,
-- and the application deletes none of them.
create function prune_webhooks(kept interval, most int) returns int
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  old uuid[]; gone uuid[];
begin
  select array_agg(v.id) into old
  from (select e.id from public.webhook_events e where e.at < clock_timestamp() - kept order by e.at limit most for update skip locked) v;
  select array_agg(d.id) into gone from public.webhook_deliveries d where d.event_id = any(old);
  delete from public.webhook_attempts a where a.delivery_id = any(gone);
  delete from public.webhook_deliveries d where d.id = any(gone);
  delete from public.webhook_events e where e.id = any(old);
  return coalesce(cardinality(old), 0);
end $$;
