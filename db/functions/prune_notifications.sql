-- Delete up to `most` notifications that are older than `kept`, with the uses of their links. What waits, or waits for somebody, stays. SECURITY DEFINER: it
-- spans tenants, and the application deletes none of them.
create function prune_notifications(kept interval, most int) returns int
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  old uuid[];
begin
  select array_agg(n.id) into old
  from (select o.id from public.notifications o
    where o.state in ('sent', 'unknown', 'dropped') and o.settled_at < clock_timestamp() - kept
    order by o.settled_at limit most for update skip locked) n;
  delete from public.notification_uses u where u.notification_id = any(old);
  delete from public.notifications o where o.id = any(old);
  return coalesce(cardinality(old), 0);
end $$;
