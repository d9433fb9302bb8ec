ALTER TABLE "offers" ADD COLUMN "connection_id" uuid;--> statement-breakpoint
ALTER TABLE "offers" ADD COLUMN "asked_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "offers" ADD COLUMN "shop_failures" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "offers" ADD COLUMN "shop_after" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "offers" ADD COLUMN "closed_at_shop" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "conversions_contact" ON "conversions" USING btree ("tenant_id","contact_id");--> statement-breakpoint
CREATE INDEX "facts_expired" ON "facts" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "offers_at_shop" ON "offers" USING btree ("ends_at") WHERE source <> 'pool' and closed_at_shop is null;--> statement-breakpoint
grant update (connection_id, asked_at, shop_failures, shop_after, closed_at_shop) on offers to rekindle_app;
--> statement-breakpoint
-- Two figures for /metrics. SECURITY DEFINER: they span tenants, and name none.
create function inbox_backlog()
returns table (waiting bigint, oldest_ms double precision)
language sql stable security definer set search_path = pg_catalog, public as $$
  select count(*), coalesce(extract(epoch from clock_timestamp() - min(i.received_at)) * 1000, 0)::double precision
  from public.inbox i where i.state = 'pending'
$$;
--> statement-breakpoint
-- Delete up to `most` facts that expired longer than `kept` ago and that nothing can be decided by any more. Decisions hold what they stated themselves.
-- Two kinds of expired facts stay: one behind which an earlier observation is still fresh, because the latest counts; and the price that a running
-- enrollment's subject had when it was left, which is the latest one until then. SECURITY DEFINER: it spans tenants, and the application deletes no facts.
create function prune_facts(kept interval, most int) returns int
language sql security definer set search_path = pg_catalog, public as $$
  with running as (
    select s.tenant_id, min(s.last_activity_at) as since
    from public.enrollments e join public.subjects s on s.tenant_id = e.tenant_id and s.id = e.subject_id
    where e.ended_at is null group by s.tenant_id
  ), over as (
    select f.tenant_id, f.id from public.facts f left join running r on r.tenant_id = f.tenant_id
    where f.expires_at < clock_timestamp() - kept
      and not exists (select from public.facts g where g.tenant_id = f.tenant_id and g.kind = f.kind and g.subject = f.subject and g.id <> f.id
        and g.observed_at <= f.observed_at and g.expires_at > clock_timestamp())
      and (f.kind <> 'price' or exists (select from public.facts h where h.tenant_id = f.tenant_id and h.kind = f.kind and h.subject = f.subject
        and h.observed_at > f.observed_at and h.observed_at <= coalesce(r.since, clock_timestamp())
        and (h.connection_id is null or h.connection_id = f.connection_id)))
    limit most
  ), gone as (
    delete from public.facts f using over o where f.tenant_id = o.tenant_id and f.id = o.id returning f.id
  )
  select count(*)::int from gone
$$;
--> statement-breakpoint
-- What is on record about the person with these contacts beyond what their shop says: their orders by currency ('' where the value is not known), what became
-- of the messages to them by channel, and the version of the settings that are in force.
create function read_customer(contact_ids uuid[]) returns jsonb
language plpgsql stable set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return jsonb_build_object(
    'orders', coalesce((
      select jsonb_agg(jsonb_build_object('currency', t.currency, 'orders', t.orders, 'net_minor', t.net_minor))
      from (select f.currency, sum(f.orders + f.unknown_orders)::int as orders, sum(f.net_minor)::bigint as net_minor
        from conversions o cross join lateral figures_of_order(o) f where o.contact_id = any(contact_ids) group by 1) t), '[]'),
    'engagement', coalesce((
      select jsonb_agg(jsonb_build_object('channel', t.channel, 'sent', t.sent, 'opened', t.opened, 'clicked', t.clicked) order by t.channel)
      from (select m.channel, count(*)::int as sent, count(m.opened_at)::int as opened, count(m.clicked_at)::int as clicked
        from messages m where m.contact_id = any(contact_ids) and m.state = 'sent' and m.channel is not null group by 1) t), '[]'),
    'settings_version', coalesce((select max(v.version) from settings_versions v), 0));
end $$;
--> statement-breakpoint
-- The tenants that have work for a background loop, so that ten thousand idle tenants cost nothing. SECURITY DEFINER: it spans tenants.
create or replace function tenants_with_work(kind text)
returns table (tenant_id uuid)
language sql stable security definer set search_path = pg_catalog, public as $$
  select distinct m.tenant_id from public.messages m
    where kind = 'dead_leases' and m.live and m.claimed_at + make_interval(secs => m.dead_lease_ms / 1000.0) <= clock_timestamp()
  union
  select distinct m.tenant_id from public.messages m
    where kind = 'in_doubt' and m.state = 'unknown' and m.find_from is not null and m.find_from <= clock_timestamp()
  union
  select distinct i.tenant_id from public.inbox i where kind = 'pending_inbox' and i.state = 'pending'
  union
  select distinct b.tenant_id from public.bulk_jobs b where kind = 'bulk_jobs' and b.state = 'running'
  union
  select distinct l.tenant_id from public.lead_routings l where kind = 'lead_routings' and l.routed_at is null
  union
  select distinct s.tenant_id from public.shadows s where kind = 'shadows' and s.ended_at is null
  union
  -- Codes at a shop that were taken back, or whose sequence ended before they could have been sent.
  select distinct o.tenant_id from public.offers o
    where kind = 'codes_to_close' and o.source <> 'pool' and o.closed_at_shop is null and o.ends_at > clock_timestamp()
      and (o.shop_after is null or o.shop_after <= clock_timestamp())
      and (o.asked_at is null or o.asked_at <= clock_timestamp() - interval '1 minute')
      and (o.state in ('revoked', 'refused')
        or exists (select from public.enrollments e where e.tenant_id = o.tenant_id and e.id = o.enrollment_id and e.ended_at is not null)
          and not exists (select from public.messages m where m.tenant_id = o.tenant_id and m.enrollment_id = o.enrollment_id
            and m.step_id = o.step_id and m.state in ('claimed', 'sent', 'unknown')))
  union
  select distinct l.tenant_id from public.lookups l
    where kind = 'lookups' and l.state = 'waiting' and (l.next_at <= clock_timestamp() or l.locked_out)
$$;
--> statement-breakpoint
revoke execute on function inbox_backlog(), prune_facts(interval, int), read_customer(uuid[]) from public;
--> statement-breakpoint
grant execute on function inbox_backlog(), prune_facts(interval, int), read_customer(uuid[]) to rekindle_app;
