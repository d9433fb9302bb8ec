CREATE TABLE "import_errors" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"import_id" uuid NOT NULL,
	"line" integer NOT NULL,
	"reason" text NOT NULL,
	"taken_in" boolean NOT NULL,
	CONSTRAINT "import_errors_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "import_errors_line" UNIQUE("tenant_id","import_id","line","reason")
);
--> statement-breakpoint
ALTER TABLE "import_errors" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "import_parts" (
	"tenant_id" uuid NOT NULL,
	"import_id" uuid NOT NULL,
	"number" integer NOT NULL,
	"data" "bytea" NOT NULL,
	CONSTRAINT "import_parts_tenant_id_import_id_number_pk" PRIMARY KEY("tenant_id","import_id","number")
);
--> statement-breakpoint
ALTER TABLE "import_parts" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "imports" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"state" text DEFAULT 'receiving' NOT NULL,
	"campaign_id" uuid,
	"source" text NOT NULL,
	"format" jsonb,
	"ignored" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"bytes" bigint DEFAULT 0 NOT NULL,
	"bytes_done" bigint DEFAULT 0 NOT NULL,
	"rows" integer DEFAULT 0 NOT NULL,
	"taken_in" integer DEFAULT 0 NOT NULL,
	"claim" uuid,
	"claimed_until" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"fault" text,
	"requested_by" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"ended_at" timestamp (3) with time zone,
	CONSTRAINT "imports_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "imports_state" CHECK (state in ('receiving', 'running', 'done', 'cancelled'))
);
--> statement-breakpoint
ALTER TABLE "imports" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "import_errors" ADD CONSTRAINT "import_errors_import_fk" FOREIGN KEY ("tenant_id","import_id") REFERENCES "public"."imports"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "import_parts" ADD CONSTRAINT "import_parts_import_fk" FOREIGN KEY ("tenant_id","import_id") REFERENCES "public"."imports"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "imports" ADD CONSTRAINT "imports_tenant" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "imports" ADD CONSTRAINT "imports_campaign_fk" FOREIGN KEY ("tenant_id","campaign_id") REFERENCES "public"."campaigns"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "imports_open" ON "imports" USING btree ("tenant_id") WHERE state in ('receiving', 'running');--> statement-breakpoint
CREATE INDEX "imports_campaign" ON "imports" USING btree ("tenant_id","campaign_id");--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "import_errors" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "import_parts" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "imports" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--> statement-breakpoint
grant select, insert, delete, update (state, format, ignored, bytes, bytes_done, rows, taken_in, claim, claimed_until, fault, ended_at) on imports to rekindle_app;
--> statement-breakpoint
grant select, insert, delete on import_parts to rekindle_app;
--> statement-breakpoint
grant select, insert on import_errors to rekindle_app;
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
$$;
