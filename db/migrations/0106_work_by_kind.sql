-- The tenants that have work for a background loop, so that ten thousand idle tenants cost nothing. SECURITY DEFINER: it spans tenants.
-- A statement for each kind: all in one would be planned anew for each call, which takes longer than to run it.
create or replace function tenants_with_work(kind text)
returns table (tenant_id uuid)
language plpgsql stable security definer set search_path = pg_catalog, public as $$
begin
  case kind
    when 'dead_leases' then return query
      select distinct m.tenant_id from public.messages m
        where m.live and m.claimed_at + make_interval(secs => m.dead_lease_ms / 1000.0) <= clock_timestamp();
    when 'in_doubt' then return query
      select distinct m.tenant_id from public.messages m
        where m.state = 'unknown' and m.find_from is not null and m.find_from <= clock_timestamp();
    when 'pending_inbox' then return query
      select distinct i.tenant_id from public.inbox i where i.state = 'pending';
    when 'bulk_jobs' then return query
      select distinct b.tenant_id from public.bulk_jobs b where b.state = 'running';
    when 'bulk_actions' then return query
      select distinct a.tenant_id from public.bulk_actions a
        where a.state = 'running' and a.claimed_until <= clock_timestamp();
    when 'lead_routings' then return query
      select distinct l.tenant_id from public.lead_routings l where l.routed_at is null;
    when 'imports' then return query
      select distinct i.tenant_id from public.imports i where i.state = 'running' and i.claimed_until <= clock_timestamp();
    when 'shadows' then return query
      select distinct s.tenant_id from public.shadows s where s.ended_at is null;
    -- Codes at a shop that were taken back, or whose sequence ended before they could have been sent.
    when 'codes_to_close' then return query
      select distinct o.tenant_id from public.offers o
        where o.source <> 'pool' and o.closed_at_shop is null and o.ends_at > clock_timestamp()
          and (o.shop_after is null or o.shop_after <= clock_timestamp())
          and (o.asked_at is null or o.asked_at <= clock_timestamp() - interval '1 minute')
          and (o.state in ('revoked', 'refused')
            or exists (select from public.enrollments e where e.tenant_id = o.tenant_id and e.id = o.enrollment_id and e.ended_at is not null)
              and not exists (select from public.messages m where m.tenant_id = o.tenant_id and m.enrollment_id = o.enrollment_id
                and m.step_id = o.step_id and m.state in ('claimed', 'sent', 'unknown')));
    when 'lookups' then return query
      select distinct l.tenant_id from public.lookups l
        where l.state = 'waiting' and (l.next_at <= clock_timestamp() or l.locked_out);
    when 'risk_due' then return query
      select distinct r.tenant_id from public.risk_standings r where r.due_at <= clock_timestamp();
    when 'risk_runs' then return query
      select distinct r.tenant_id from public.risk_runs r
        where r.ended_at is null and (r.touched_at is null or r.touched_at <= clock_timestamp() - interval '1 minute');
    when 'chats' then return query
      select distinct u.tenant_id from public.chat_updates u where u.state = 'waiting' and u.next_at <= clock_timestamp();
    when 'keyword_answers' then return query
      select distinct k.tenant_id from public.keyword_answers k
        where k.state in ('waiting', 'claimed') and k.next_at <= clock_timestamp();
    -- Hot leads that nobody was told about, where there is an admin chat.
    when 'alerts' then return query
      select distinct t.tenant_id from public.tasks t join public.tenants n on n.id = t.tenant_id
        where t.kind = 'hot_lead' and t.state = 'open' and t.claimed_at is null and t.due_at <= clock_timestamp()
          and n.settings ->> 'adminChatId' is not null;
    -- Bots that nobody keeps and that are to run, or that run and are to be stopped.
    when 'bots' then return query
      select distinct b.tenant_id from public.bots b join public.connections c on c.tenant_id = b.tenant_id and c.id = b.connection_id
        where (b.held_until is null or b.held_until <= clock_timestamp()) and b.next_try_at <= clock_timestamp()
          and (b.running or (c.state = 'connected' and c.removed_at is null and c.sealed_config is not null));
    -- Erasures and exports whose workflow is to be started, and what shops have passed on.
    when 'privacy' then return query
      select distinct e.tenant_id from public.erasures e where e.state = 'running' and e.next_start_at <= clock_timestamp()
      union
      select distinct x.tenant_id from public.person_exports x where x.state <> 'expired' and x.next_start_at <= clock_timestamp()
      union
      select distinct p.tenant_id from public.privacy_requests p where p.done_at is null;
    when 'notifications' then return query
      select distinct o.tenant_id from public.notifications o
        where o.state in ('waiting', 'calling') and o.next_at <= clock_timestamp()
          or o.state = 'unknown' and o.ask_at <= clock_timestamp();
    when 'overdue_tasks' then return query
      select distinct t.tenant_id from public.tasks t
        where t.state = 'open' and t.overdue_at <= clock_timestamp();
    when 'webhook_events' then return query
      select distinct v.tenant_id from public.webhook_events v where v.expanded_at is null;
    -- What an endpoint that is disabled is not told is `held`, not `waiting`.
    when 'webhook_deliveries' then return query
      select distinct p.tenant_id from public.webhook_endpoints p
        where p.state = 'enabled' and p.removed_at is null
          and exists (select from public.webhook_deliveries d where d.tenant_id = p.tenant_id and d.endpoint_id = p.id
            and d.state = 'waiting' and d.next_at <= clock_timestamp());
  end case;
end
$$;
