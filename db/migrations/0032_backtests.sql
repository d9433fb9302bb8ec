CREATE TABLE "backtests" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"slug" text NOT NULL,
	"version_id" uuid,
	"version" integer,
	"source_hash" text NOT NULL,
	"days" integer NOT NULL,
	"state" text DEFAULT 'running' NOT NULL,
	"progress" double precision DEFAULT 0 NOT NULL,
	"progress_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"report" jsonb,
	"error" text,
	"requested_by" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"ended_at" timestamp (3) with time zone,
	CONSTRAINT "backtests_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "backtests_state" CHECK (state in ('running', 'done', 'failed'))
);
--> statement-breakpoint
ALTER TABLE "backtests" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "backtests" ADD CONSTRAINT "backtests_tenant" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "backtests" ADD CONSTRAINT "backtests_version_fk" FOREIGN KEY ("tenant_id","version_id") REFERENCES "public"."sequence_versions"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "backtests_version" ON "backtests" USING btree ("tenant_id","version_id");--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "backtests" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
grant select, insert, update (state, progress, progress_at, report, error, ended_at) on backtests to rekindle_app;
