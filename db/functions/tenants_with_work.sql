-- The tenants that have work for a background loop, so that ten thousand idle tenants cost nothing. SECURITY DEFINER: it spans tenants.
create function tenants_with_work(kind text)
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
  select distinct a.tenant_id from public.bulk_actions a
    where kind = 'bulk_actions' and a.state = 'running' and a.claimed_until <= clock_timestamp()
  union
  select distinct l.tenant_id from public.lead_routings l where kind = 'lead_routings' and l.routed_at is null
  union
  select distinct i.tenant_id from public.imports i where kind = 'imports' and i.state = 'running' and i.claimed_until <= clock_timestamp()
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
  union
  select distinct r.tenant_id from public.risk_standings r where kind = 'risk_due' and r.due_at <= clock_timestamp()
  union
  select distinct r.tenant_id from public.risk_runs r
    where kind = 'risk_runs' and r.ended_at is null and (r.touched_at is null or r.touched_at <= clock_timestamp() - interval '1 minute')
  union
  select distinct u.tenant_id from public.chat_updates u where kind = 'chats' and u.state = 'waiting' and u.next_at <= clock_timestamp()
  union
  select distinct k.tenant_id from public.keyword_answers k
    where kind = 'keyword_answers' and k.state in ('waiting', 'claimed') and k.next_at <= clock_timestamp()
  union
  -- Hot leads that nobody was told about, where there is an admin chat. A task has a `kind` of its own, which goes before the argument's name.
  select distinct t.tenant_id from public.tasks t join public.tenants n on n.id = t.tenant_id
    where tenants_with_work.kind = 'alerts' and t.kind = 'hot_lead' and t.state = 'open' and t.claimed_at is null and t.due_at <= clock_timestamp()
      and n.settings ->> 'adminChatId' is not null
  union
  -- Bots that nobody keeps and that are to run, or that run and are to be stopped.
  select distinct b.tenant_id from public.bots b join public.connections c on c.tenant_id = b.tenant_id and c.id = b.connection_id
    where kind = 'bots' and (b.held_until is null or b.held_until <= clock_timestamp()) and b.next_try_at <= clock_timestamp()
      and (b.running or (c.state = 'connected' and c.removed_at is null and c.sealed_config is not null))
  union
  -- Erasures and exports whose workflow is to be started, and what shops have passed on.
  select distinct e.tenant_id from public.erasures e where kind = 'privacy' and e.state = 'running' and e.next_start_at <= clock_timestamp()
  union
  select distinct x.tenant_id from public.person_exports x where kind = 'privacy' and x.state <> 'expired' and x.next_start_at <= clock_timestamp()
  union
  select distinct p.tenant_id from public.privacy_requests p where kind = 'privacy' and p.done_at is null
  union
  select distinct o.tenant_id from public.notifications o
    where kind = 'notifications' and (o.state in ('waiting', 'calling') and o.next_at <= clock_timestamp()
      or o.state = 'unknown' and o.ask_at <= clock_timestamp())
  union
  select distinct t.tenant_id from public.tasks t
    where tenants_with_work.kind = 'overdue_tasks' and t.state = 'open' and t.overdue_at <= clock_timestamp()
  union
  select distinct v.tenant_id from public.webhook_events v where kind = 'webhook_events' and v.expanded_at is null
  union
  -- What an endpoint that is disabled is not told is `held`, not `waiting`.
  select distinct p.tenant_id from public.webhook_endpoints p
    where kind = 'webhook_deliveries' and p.state = 'enabled' and p.removed_at is null
      and exists (select from public.webhook_deliveries d where d.tenant_id = p.tenant_id and d.endpoint_id = p.id
        and d.state = 'waiting' and d.next_at <= clock_timestamp())
$$;
