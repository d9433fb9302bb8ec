CREATE TABLE "erasures" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"contact_id" uuid NOT NULL,
	"state" text DEFAULT 'running' NOT NULL,
	"origin" text NOT NULL,
	"requested_by" text NOT NULL,
	"requested_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"sealed_traces" text,
	"erased" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"kept" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"searched" jsonb,
	"found" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"histories" integer DEFAULT 0 NOT NULL,
	"waits_for" text,
	"stopped_at" timestamp (3) with time zone,
	"erased_at" timestamp (3) with time zone,
	"done_at" timestamp (3) with time zone,
	"next_start_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "erasures_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "erasures_contact" UNIQUE("tenant_id","contact_id"),
	CONSTRAINT "erasures_state" CHECK (state in ('running', 'done', 'incomplete'))
);
--> statement-breakpoint
ALTER TABLE "erasures" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "person_exports" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"contact_id" uuid NOT NULL,
	"state" text DEFAULT 'running' NOT NULL,
	"origin" text NOT NULL,
	"requested_by" text NOT NULL,
	"requested_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"sealed_document" text,
	"rows" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"ready_at" timestamp (3) with time zone,
	"expires_at" timestamp (3) with time zone,
	"next_start_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "person_exports_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "person_exports_state" CHECK (state in ('running', 'ready', 'expired'))
);
--> statement-breakpoint
ALTER TABLE "person_exports" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "erasures" ADD CONSTRAINT "erasures_contact_fk" FOREIGN KEY ("tenant_id","contact_id") REFERENCES "public"."contacts"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "person_exports" ADD CONSTRAINT "person_exports_contact_fk" FOREIGN KEY ("tenant_id","contact_id") REFERENCES "public"."contacts"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "erasures_open" ON "erasures" USING btree ("next_start_at") WHERE state = 'running';--> statement-breakpoint
CREATE INDEX "person_exports_contact" ON "person_exports" USING btree ("tenant_id","contact_id");--> statement-breakpoint
CREATE INDEX "person_exports_open" ON "person_exports" USING btree ("next_start_at") WHERE state <> 'expired';--> statement-breakpoint
CREATE INDEX "privacy_requests_open" ON "privacy_requests" USING btree ("tenant_id") WHERE done_at is null;--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "erasures" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "person_exports" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
grant select, insert, update (state, sealed_traces, erased, kept, searched, found, histories, waits_for, stopped_at, erased_at, done_at, next_start_at) on erasures to rekindle_app;--> statement-breakpoint
grant select, insert, update (state, sealed_document, rows, ready_at, expires_at, next_start_at) on person_exports to rekindle_app;
