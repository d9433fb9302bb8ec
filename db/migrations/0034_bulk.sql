CREATE TABLE "bulk_jobs" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"sequence_id" uuid NOT NULL,
	"version_id" uuid NOT NULL,
	"backtest_id" uuid NOT NULL,
	"subject_kind" text NOT NULL,
	"filter" jsonb NOT NULL,
	"people" integer NOT NULL,
	"per" text NOT NULL,
	"most" integer,
	"state" text DEFAULT 'running' NOT NULL,
	"paused_because" text,
	"cursor" uuid,
	"candidates" integer NOT NULL,
	"examined" integer DEFAULT 0 NOT NULL,
	"enrolled" integer DEFAULT 0 NOT NULL,
	"next_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"requested_by" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"ended_at" timestamp (3) with time zone,
	CONSTRAINT "bulk_jobs_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "bulk_jobs_state" CHECK (state in ('running', 'paused', 'cancelled', 'done')),
	CONSTRAINT "bulk_jobs_people" CHECK (people > 0)
);
--> statement-breakpoint
ALTER TABLE "bulk_jobs" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "bulk_members" (
	"tenant_id" uuid NOT NULL,
	"job_id" uuid NOT NULL,
	"subject_id" uuid NOT NULL,
	"person_id" uuid,
	"enrollment_id" uuid,
	"reason" text,
	"at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "bulk_members_tenant_id_job_id_subject_id_pk" PRIMARY KEY("tenant_id","job_id","subject_id"),
	CONSTRAINT "bulk_members_outcome" CHECK ((enrollment_id is null) <> (reason is null))
);
--> statement-breakpoint
ALTER TABLE "bulk_members" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "bulk_jobs" ADD CONSTRAINT "bulk_jobs_sequence_fk" FOREIGN KEY ("tenant_id","sequence_id") REFERENCES "public"."sequences"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "bulk_jobs" ADD CONSTRAINT "bulk_jobs_version_fk" FOREIGN KEY ("tenant_id","version_id") REFERENCES "public"."sequence_versions"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "bulk_jobs" ADD CONSTRAINT "bulk_jobs_backtest_fk" FOREIGN KEY ("tenant_id","backtest_id") REFERENCES "public"."backtests"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "bulk_members" ADD CONSTRAINT "bulk_members_job_fk" FOREIGN KEY ("tenant_id","job_id") REFERENCES "public"."bulk_jobs"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "bulk_members" ADD CONSTRAINT "bulk_members_subject_fk" FOREIGN KEY ("tenant_id","subject_id") REFERENCES "public"."subjects"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "bulk_members" ADD CONSTRAINT "bulk_members_enrollment_fk" FOREIGN KEY ("tenant_id","enrollment_id") REFERENCES "public"."enrollments"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "bulk_jobs_one_open" ON "bulk_jobs" USING btree ("tenant_id","sequence_id") WHERE state in ('running', 'paused');--> statement-breakpoint
CREATE INDEX "bulk_jobs_running" ON "bulk_jobs" USING btree ("tenant_id") WHERE state = 'running';--> statement-breakpoint
CREATE INDEX "bulk_jobs_sequence" ON "bulk_jobs" USING btree ("tenant_id","sequence_id");--> statement-breakpoint
CREATE INDEX "bulk_jobs_version" ON "bulk_jobs" USING btree ("tenant_id","version_id");--> statement-breakpoint
CREATE INDEX "bulk_jobs_backtest" ON "bulk_jobs" USING btree ("tenant_id","backtest_id");--> statement-breakpoint
CREATE UNIQUE INDEX "bulk_members_once" ON "bulk_members" USING btree ("tenant_id","job_id","person_id") WHERE enrollment_id is not null;--> statement-breakpoint
CREATE INDEX "bulk_members_subject" ON "bulk_members" USING btree ("tenant_id","subject_id");--> statement-breakpoint
CREATE INDEX "bulk_members_enrollment" ON "bulk_members" USING btree ("tenant_id","enrollment_id");--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "bulk_jobs" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "bulk_members" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
grant select, insert, update (state, paused_because, cursor, examined, enrolled, next_at, ended_at) on bulk_jobs to rekindle_app;--> statement-breakpoint
grant select, insert on bulk_members to rekindle_app;--> statement-breakpoint
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
$$;
