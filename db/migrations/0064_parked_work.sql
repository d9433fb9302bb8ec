CREATE TABLE "parked_skips" (
	"tenant_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"ref" text NOT NULL,
	"actor" text NOT NULL,
	"note" text NOT NULL,
	"at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "parked_skips_tenant_id_kind_ref_pk" PRIMARY KEY("tenant_id","kind","ref")
);
--> statement-breakpoint
ALTER TABLE "parked_skips" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "fault_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "parked_skips" ADD CONSTRAINT "parked_skips_tenant" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "messages_unknown" ON "messages" USING btree ("tenant_id","id") WHERE state = 'unknown';--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "parked_skips" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
grant select, insert on parked_skips to rekindle_app;--> statement-breakpoint
grant update (fault_at) on connections to rekindle_app;
