ALTER TABLE "notifications" ADD COLUMN "reminder" integer;--> statement-breakpoint
ALTER TABLE "notifications" ADD COLUMN "ask_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "given_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "overdue_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "reminders" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "late" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
CREATE INDEX "notifications_in_doubt" ON "notifications" USING btree ("tenant_id","ask_at") WHERE state = 'unknown' and ask_at is not null;--> statement-breakpoint
CREATE INDEX "notifications_settled" ON "notifications" USING btree ("settled_at") WHERE state in ('sent', 'unknown', 'dropped');--> statement-breakpoint
CREATE INDEX "tasks_overdue" ON "tasks" USING btree ("tenant_id","overdue_at") WHERE state = 'open' and overdue_at is not null;
--> statement-breakpoint
-- Trigger: a notification for every target of the owner, when a task is opened or given to somebody, and when its owner is reminded. Whoever accepts a task knows of it.
-- Ids begin with their time (version 7), so that lists are in order. SECURITY DEFINER: as note_webhook_event.
create or replace function note_notifications() returns trigger language plpgsql security definer
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
--> statement-breakpoint
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
--> statement-breakpoint
-- Trigger: from when on somebody looks after a task, so that no part that makes tasks, gives them away or puts them off can forget it.
create function watch_overdue() returns trigger language plpgsql
set search_path = pg_catalog, public as $$
begin
  if tg_op = 'INSERT' then
    new.overdue_at := new.due_at;
  elsif new.owner is distinct from old.owner or new.due_at <> old.due_at then
    if new.owner is distinct from old.owner then new.given_at := clock_timestamp(); end if;
    new.reminders := 0;
    new.overdue_at := new.due_at;
  end if;
  return new;
end $$;
--> statement-breakpoint
revoke execute on function prune_notifications(interval, int), watch_overdue() from public;
--> statement-breakpoint
grant execute on function prune_notifications(interval, int), watch_overdue() to rekindle_app;
--> statement-breakpoint
grant update (overdue_at, reminders, late) on tasks to rekindle_app;
--> statement-breakpoint
grant update (ask_at) on notifications to rekindle_app;
--> statement-breakpoint
create trigger overdue_of_task before insert or update of owner, due_at on tasks for each row execute function watch_overdue();
--> statement-breakpoint
create trigger notifications_of_reminder after update of reminders on tasks for each row
  when (new.state = 'open' and new.reminders > old.reminders) execute function note_notifications('opened', 'reminder');
--> statement-breakpoint
-- Nobody is reminded of what was late before there were reminders.
update tasks set overdue_at = due_at where state = 'open' and due_at > clock_timestamp();
