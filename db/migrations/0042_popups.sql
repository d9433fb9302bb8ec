CREATE TABLE "popups" (
	"tenant_id" uuid NOT NULL,
	"enrollment_id" uuid NOT NULL,
	"step_id" text NOT NULL,
	"digest" text NOT NULL,
	"put_down_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"handed_at" timestamp (3) with time zone,
	"shown_at" timestamp (3) with time zone,
	"closed_at" timestamp (3) with time zone,
	CONSTRAINT "popups_tenant_id_enrollment_id_step_id_pk" PRIMARY KEY("tenant_id","enrollment_id","step_id")
);
--> statement-breakpoint
ALTER TABLE "popups" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "popups" ADD CONSTRAINT "popups_enrollment_fk" FOREIGN KEY ("tenant_id","enrollment_id") REFERENCES "public"."enrollments"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "popups" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
grant select, insert, update (handed_at, shown_at, closed_at) on popups to rekindle_app;
