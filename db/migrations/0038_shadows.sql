CREATE TABLE "shadow_decisions" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"run_id" uuid NOT NULL,
	"step_id" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"verdict" text NOT NULL,
	"reason" text NOT NULL,
	"until" timestamp (3) with time zone,
	"checks" jsonb NOT NULL,
	CONSTRAINT "shadow_decisions_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
ALTER TABLE "shadow_decisions" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "shadow_runs" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"shadow_id" uuid NOT NULL,
	"enrollment_id" uuid NOT NULL,
	"anchor_at" timestamp (3) with time zone NOT NULL,
	"activated_at" timestamp (3) with time zone,
	"next_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"followed_end" boolean DEFAULT false NOT NULL,
	"ended_at" timestamp (3) with time zone,
	"reason" text,
	"rehearsed" jsonb,
	CONSTRAINT "shadow_runs_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "shadow_runs_once" UNIQUE("tenant_id","shadow_id","enrollment_id")
);
--> statement-breakpoint
ALTER TABLE "shadow_runs" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "shadows" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"sequence_id" uuid NOT NULL,
	"version_id" uuid NOT NULL,
	"beside_id" uuid NOT NULL,
	"started_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"started_by" text NOT NULL,
	"ended_at" timestamp (3) with time zone,
	CONSTRAINT "shadows_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
ALTER TABLE "shadows" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "shadow_decisions" ADD CONSTRAINT "shadow_decisions_run_fk" FOREIGN KEY ("tenant_id","run_id") REFERENCES "public"."shadow_runs"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "shadow_runs" ADD CONSTRAINT "shadow_runs_shadow_fk" FOREIGN KEY ("tenant_id","shadow_id") REFERENCES "public"."shadows"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "shadow_runs" ADD CONSTRAINT "shadow_runs_enrollment_fk" FOREIGN KEY ("tenant_id","enrollment_id") REFERENCES "public"."enrollments"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "shadows" ADD CONSTRAINT "shadows_sequence_fk" FOREIGN KEY ("tenant_id","sequence_id") REFERENCES "public"."sequences"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "shadows" ADD CONSTRAINT "shadows_beside_fk" FOREIGN KEY ("tenant_id","beside_id") REFERENCES "public"."sequences"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "shadows" ADD CONSTRAINT "shadows_version_fk" FOREIGN KEY ("tenant_id","version_id") REFERENCES "public"."sequence_versions"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "shadow_decisions_run" ON "shadow_decisions" USING btree ("tenant_id","run_id");--> statement-breakpoint
CREATE INDEX "shadow_runs_due" ON "shadow_runs" USING btree ("tenant_id","next_at") WHERE ended_at is null;--> statement-breakpoint
CREATE INDEX "shadow_runs_enrollment" ON "shadow_runs" USING btree ("tenant_id","enrollment_id");--> statement-breakpoint
CREATE UNIQUE INDEX "shadows_one_open" ON "shadows" USING btree ("tenant_id","sequence_id") WHERE ended_at is null;--> statement-breakpoint
CREATE INDEX "shadows_sequence" ON "shadows" USING btree ("tenant_id","sequence_id");--> statement-breakpoint
CREATE INDEX "shadows_version" ON "shadows" USING btree ("tenant_id","version_id");--> statement-breakpoint
CREATE INDEX "shadows_beside" ON "shadows" USING btree ("tenant_id","beside_id");--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "shadow_decisions" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "shadow_runs" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "shadows" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
grant select, insert, update (ended_at) on shadows to rekindle_app;--> statement-breakpoint
grant select, insert, update (anchor_at, activated_at, next_at, followed_end, ended_at, reason, rehearsed) on shadow_runs to rekindle_app;--> statement-breakpoint
grant select, insert on shadow_decisions to rekindle_app;--> statement-breakpoint
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
$$;
