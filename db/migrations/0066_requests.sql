CREATE TABLE "edit_leases" (
	"tenant_id" uuid NOT NULL,
	"path" text NOT NULL,
	"run" uuid NOT NULL,
	"until" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "edit_leases_tenant_id_path_pk" PRIMARY KEY("tenant_id","path")
);
--> statement-breakpoint
ALTER TABLE "edit_leases" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "keyed_requests" (
	"tenant_id" uuid NOT NULL,
	"caller" text NOT NULL,
	"key" text NOT NULL,
	"request" text NOT NULL,
	"run" uuid NOT NULL,
	"state" text NOT NULL,
	"lease_until" timestamp (3) with time zone NOT NULL,
	"status" integer,
	"headers" jsonb,
	"sealed_body" text,
	"created_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"kept_until" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "keyed_requests_tenant_id_caller_key_pk" PRIMARY KEY("tenant_id","caller","key"),
	CONSTRAINT "keyed_requests_state" CHECK (state in ('running', 'done', 'free'))
);
--> statement-breakpoint
ALTER TABLE "keyed_requests" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "request_rates" (
	"tenant_id" uuid NOT NULL,
	"caller" text NOT NULL,
	"minute" integer NOT NULL,
	"reserved" integer NOT NULL,
	CONSTRAINT "request_rates_tenant_id_caller_pk" PRIMARY KEY("tenant_id","caller")
);
--> statement-breakpoint
ALTER TABLE "request_rates" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "api_keys" ADD COLUMN "requests_per_minute" integer;--> statement-breakpoint
CREATE INDEX "keyed_requests_kept" ON "keyed_requests" USING btree ("kept_until");--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "edit_leases" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "keyed_requests" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "request_rates" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
-- Forget answers to keyed requests that were kept long enough, and leases and minutes that are over. SECURITY DEFINER: it spans tenants, and the
-- application deletes none of these rows.
create function prune_requests() returns int
language sql security definer set search_path = pg_catalog, public as $$
  with answers as (delete from public.keyed_requests where kept_until < clock_timestamp() returning 1),
    leases as (delete from public.edit_leases where until < clock_timestamp() - interval '1 hour' returning 1),
    rates as (delete from public.request_rates where minute < extract(epoch from clock_timestamp()) / 60 - 60 returning 1)
  select ((select count(*) from answers) + (select count(*) from leases) + (select count(*) from rates))::int
$$;
--> statement-breakpoint
revoke execute on function prune_requests() from public;
--> statement-breakpoint
grant execute on function prune_requests() to rekindle_app;--> statement-breakpoint
grant select, insert, update (request, run, state, lease_until, status, headers, sealed_body, created_at, kept_until) on keyed_requests to rekindle_app;--> statement-breakpoint
grant select, insert, update (run, until) on edit_leases to rekindle_app;--> statement-breakpoint
grant select, insert, update (minute, reserved) on request_rates to rekindle_app;
