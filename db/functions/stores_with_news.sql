-- Of some stores, each with a snapshot that its readers have come to, those that have newer events. One look into an index for each. SECURITY DEFINER:
-- it spans tenants.
-- Source: docs/adr/0087-live-events.md
create function stores_with_news(stores uuid[], seen text[]) returns table (tenant_id uuid)
language sql stable security definer set search_path = pg_catalog, public as $$
  select s.id
  from unnest(stores, seen) as s(id, seen)
  where exists (
    select from public.webhook_events v
    where v.tenant_id = s.id
      and v.txid >= pg_snapshot_xmin(s.seen::pg_snapshot) and v.txid < pg_snapshot_xmax(pg_current_snapshot())
      and not pg_visible_in_snapshot(v.txid, s.seen::pg_snapshot))
$$;
