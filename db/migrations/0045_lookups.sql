CREATE TABLE "lookups" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"connection_id" uuid NOT NULL,
	"key" text NOT NULL,
	"topic" text NOT NULL,
	"what" jsonb NOT NULL,
	"state" text DEFAULT 'waiting' NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"locked_out" boolean DEFAULT false NOT NULL,
	"last_error" text,
	"created_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"settled_at" timestamp (3) with time zone,
	CONSTRAINT "lookups_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "lookups_key" UNIQUE("tenant_id","connection_id","key"),
	CONSTRAINT "lookups_state" CHECK (state in ('waiting', 'done', 'set_aside'))
);
--> statement-breakpoint
ALTER TABLE "lookups" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "lookups" ADD CONSTRAINT "lookups_connection_fk" FOREIGN KEY ("tenant_id","connection_id") REFERENCES "public"."connections"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "lookups_due" ON "lookups" USING btree ("next_at") WHERE state = 'waiting';--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "lookups" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
grant select, insert, update (state, attempts, next_at, locked_out, last_error, settled_at) on lookups to rekindle_app;
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
  select distinct s.tenant_id from public.shadows s where kind = 'shadows' and s.ended_at is null
  union
  select distinct l.tenant_id from public.lookups l
    where kind = 'lookups' and l.state = 'waiting' and (l.next_at <= clock_timestamp() or l.locked_out)
$$;
