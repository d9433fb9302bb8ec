CREATE TABLE "notification_targets" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"owner" text,
	"channel" text NOT NULL,
	"sealed_config" text NOT NULL,
	"kinds" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"removed_at" timestamp (3) with time zone,
	CONSTRAINT "notification_targets_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "notification_targets_channel" CHECK (channel in ('email', 'sms', 'telegram', 'slack', 'webhook'))
);
--> statement-breakpoint
ALTER TABLE "notification_targets" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "notification_templates" (
	"tenant_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"channel" text NOT NULL,
	"subject" text,
	"body" text NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"removed_at" timestamp (3) with time zone,
	CONSTRAINT "notification_templates_tenant_id_kind_channel_pk" PRIMARY KEY("tenant_id","kind","channel")
);
--> statement-breakpoint
ALTER TABLE "notification_templates" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "notification_uses" (
	"tenant_id" uuid NOT NULL,
	"notification_id" uuid NOT NULL,
	"action" text NOT NULL,
	"used_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"used_by" text NOT NULL,
	CONSTRAINT "notification_uses_tenant_id_notification_id_action_pk" PRIMARY KEY("tenant_id","notification_id","action")
);
--> statement-breakpoint
ALTER TABLE "notification_uses" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "notifications" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"task_id" uuid NOT NULL,
	"target_id" uuid NOT NULL,
	"cause" text NOT NULL,
	"state" text DEFAULT 'waiting' NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"claims" integer DEFAULT 0 NOT NULL,
	"claimed_at" timestamp (3) with time zone,
	"next_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"account" text,
	"response" text,
	"created_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"settled_at" timestamp (3) with time zone,
	CONSTRAINT "notifications_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "notifications_state" CHECK (state in ('waiting', 'calling', 'sent', 'unknown', 'parked', 'dropped'))
);
--> statement-breakpoint
ALTER TABLE "notifications" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "notification_targets" ADD CONSTRAINT "notification_targets_tenant" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notification_templates" ADD CONSTRAINT "notification_templates_tenant" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notification_uses" ADD CONSTRAINT "notification_uses_of_notification" FOREIGN KEY ("tenant_id","notification_id") REFERENCES "public"."notifications"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notifications" ADD CONSTRAINT "notifications_of_task" FOREIGN KEY ("tenant_id","task_id") REFERENCES "public"."tasks"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notifications" ADD CONSTRAINT "notifications_target" FOREIGN KEY ("tenant_id","target_id") REFERENCES "public"."notification_targets"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "notification_targets_live" ON "notification_targets" USING btree ("tenant_id") WHERE removed_at is null;--> statement-breakpoint
CREATE INDEX "notifications_open" ON "notifications" USING btree ("tenant_id","next_at") WHERE state in ('waiting', 'calling');--> statement-breakpoint
CREATE INDEX "notifications_parked" ON "notifications" USING btree ("tenant_id","id") WHERE state = 'parked';--> statement-breakpoint
CREATE INDEX "notifications_task" ON "notifications" USING btree ("tenant_id","task_id");--> statement-breakpoint
CREATE INDEX "notifications_of_target" ON "notifications" USING btree ("tenant_id","target_id");--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "notification_targets" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "notification_templates" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "notification_uses" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "notifications" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--> statement-breakpoint
-- Trigger: a notification for every target of the owner, when a task is opened or given to somebody. Whoever accepts a task knows of it.
-- Ids begin with their time (version 7), so that lists are in order. SECURITY DEFINER: as note_webhook_event.
create function note_notifications() returns trigger language plpgsql security definer
set search_path = pg_catalog, public as $$
begin
  insert into public.notifications (tenant_id, id, task_id, target_id, cause)
  select new.tenant_id,
    (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7' || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid,
    new.id, t.id, tg_argv[0]
  from public.notification_targets t
  where t.tenant_id = new.tenant_id and t.removed_at is null and t.owner is not distinct from new.owner
    and (t.kinds = '[]'::jsonb or t.kinds ? new.kind);
  return null;
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
  -- Hot leads that nobody was told about, where there is an admin chat.
  select distinct t.tenant_id from public.tasks t join public.tenants n on n.id = t.tenant_id
    where kind = 'alerts' and t.kind = 'hot_lead' and t.state = 'open' and t.claimed_at is null and t.due_at <= clock_timestamp()
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
    where kind = 'notifications' and o.state in ('waiting', 'calling') and o.next_at <= clock_timestamp()
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
revoke execute on function note_notifications() from public;
--> statement-breakpoint
grant execute on function note_notifications() to rekindle_app;
--> statement-breakpoint
grant select, insert, update (owner, sealed_config, kinds, removed_at) on notification_targets to rekindle_app;
--> statement-breakpoint
grant select, insert, update (subject, body, updated_at, removed_at) on notification_templates to rekindle_app;
--> statement-breakpoint
grant select, update (state, attempts, claims, claimed_at, next_at, account, response, settled_at) on notifications to rekindle_app;
--> statement-breakpoint
grant select, insert on notification_uses to rekindle_app;
--> statement-breakpoint
create trigger notifications_of_task after insert on tasks for each row
  when (new.state = 'open') execute function note_notifications('opened');
--> statement-breakpoint
create trigger notifications_of_new_owner after update of owner on tasks for each row
  when (new.state = 'open' and new.owner is distinct from old.owner and new.accepted_at is null) execute function note_notifications('assigned');
