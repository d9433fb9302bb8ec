CREATE TABLE "enrollment_requests" (
	"tenant_id" uuid NOT NULL,
	"key" text NOT NULL,
	"request" text NOT NULL,
	"enrollment_id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "enrollment_requests_tenant_id_key_pk" PRIMARY KEY("tenant_id","key")
);
--> statement-breakpoint
ALTER TABLE "enrollment_requests" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "quarantine" ADD COLUMN "dismissed_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "quarantine" ADD COLUMN "dismissed_by" text;--> statement-breakpoint
ALTER TABLE "quarantine" ADD COLUMN "dismissal_reason" text;--> statement-breakpoint
ALTER TABLE "enrollment_requests" ADD CONSTRAINT "enrollment_requests_enrollment" FOREIGN KEY ("tenant_id","enrollment_id") REFERENCES "public"."enrollments"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "enrollment_requests_enrollment_id" ON "enrollment_requests" USING btree ("tenant_id","enrollment_id");--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "enrollment_requests" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
grant select, insert on enrollment_requests to rekindle_app;
--> statement-breakpoint
grant update (dismissed_at, dismissed_by, dismissal_reason) on quarantine to rekindle_app;
