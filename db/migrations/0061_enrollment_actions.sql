CREATE TABLE "enrollment_actions" (
	"tenant_id" uuid NOT NULL,
	"id" text NOT NULL,
	"enrollment_id" uuid NOT NULL,
	"action" text NOT NULL,
	"state" text NOT NULL,
	"key" text,
	"request" text NOT NULL,
	"result" jsonb NOT NULL,
	"actor" text NOT NULL,
	"at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "enrollment_actions_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "enrollment_actions_key" UNIQUE("tenant_id","key"),
	CONSTRAINT "enrollment_actions_state" CHECK (state in ('done', 'withdrawn')),
	CONSTRAINT "enrollment_actions_action" CHECK (action in ('pause', 'resume', 'skip', 'snooze', 'send_now', 'stop'))
);
--> statement-breakpoint
ALTER TABLE "enrollment_actions" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "enrollments" ADD COLUMN "due_now" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "enrollment_actions" ADD CONSTRAINT "enrollment_actions_enrollment_fk" FOREIGN KEY ("tenant_id","enrollment_id") REFERENCES "public"."enrollments"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "enrollment_actions_enrollment" ON "enrollment_actions" USING btree ("tenant_id","enrollment_id");--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "enrollment_actions" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
grant update (due_now) on enrollments to rekindle_app;--> statement-breakpoint
grant select, insert on enrollment_actions to rekindle_app;
