CREATE TABLE "suggestion_dismissals" (
	"tenant_id" uuid NOT NULL,
	"sequence_id" uuid NOT NULL,
	"step_id" text NOT NULL,
	"kind" text NOT NULL,
	"evidence" jsonb NOT NULL,
	"dismissed_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"dismissed_by" text NOT NULL,
	"reason" text NOT NULL,
	CONSTRAINT "suggestion_dismissals_tenant_id_sequence_id_step_id_kind_pk" PRIMARY KEY("tenant_id","sequence_id","step_id","kind")
);
--> statement-breakpoint
ALTER TABLE "suggestion_dismissals" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "suggestion_dismissals" ADD CONSTRAINT "suggestion_dismissals_sequence_fk" FOREIGN KEY ("tenant_id","sequence_id") REFERENCES "public"."sequences"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "suggestion_dismissals" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
grant select, insert, update (evidence, dismissed_at, dismissed_by, reason) on suggestion_dismissals to rekindle_app;
