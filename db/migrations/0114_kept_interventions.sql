CREATE TABLE "intervention_figures" (
	"tenant_id" uuid NOT NULL,
	"enrollment_id" uuid NOT NULL,
	"account_id" uuid NOT NULL,
	"began_at" timestamp (3) with time zone NOT NULL,
	"changes_at" timestamp (3) with time zone,
	"basis" text NOT NULL,
	"first_action_ms" bigint,
	"figures" jsonb NOT NULL,
	CONSTRAINT "intervention_figures_pk" PRIMARY KEY("tenant_id","enrollment_id")
);
--> statement-breakpoint
ALTER TABLE "intervention_figures" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "intervention_marks" (
	"tenant_id" uuid NOT NULL,
	"seq" bigint GENERATED ALWAYS AS IDENTITY (sequence name "intervention_marks_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"account_id" uuid,
	CONSTRAINT "intervention_marks_tenant_id_seq_pk" PRIMARY KEY("tenant_id","seq")
);
--> statement-breakpoint
ALTER TABLE "intervention_marks" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "intervention_sums" (
	"tenant_id" uuid NOT NULL,
	"day" date NOT NULL,
	"band" text NOT NULL,
	"channel" text DEFAULT '' NOT NULL,
	"currency" text DEFAULT '' NOT NULL,
	"begun" bigint DEFAULT 0 NOT NULL,
	"held_out" bigint DEFAULT 0 NOT NULL,
	"complete" bigint DEFAULT 0 NOT NULL,
	"successes" bigint DEFAULT 0 NOT NULL,
	"actions" bigint DEFAULT 0 NOT NULL,
	"pending" bigint DEFAULT 0 NOT NULL,
	"delivered" bigint DEFAULT 0 NOT NULL,
	"engaged" bigint DEFAULT 0 NOT NULL,
	"converted" bigint DEFAULT 0 NOT NULL,
	"failed" bigint DEFAULT 0 NOT NULL,
	"ignored" bigint DEFAULT 0 NOT NULL,
	"escalated" bigint DEFAULT 0 NOT NULL,
	"unknown_message" bigint DEFAULT 0 NOT NULL,
	"unknown_people" bigint DEFAULT 0 NOT NULL,
	"unknown_model" bigint DEFAULT 0 NOT NULL,
	"cost" numeric DEFAULT '0' NOT NULL,
	"expected" numeric DEFAULT '0' NOT NULL,
	"attributed" numeric DEFAULT '0' NOT NULL,
	CONSTRAINT "intervention_sums_pk" PRIMARY KEY("tenant_id","day","band","channel","currency")
);
--> statement-breakpoint
ALTER TABLE "intervention_sums" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "intervention_figures" ADD CONSTRAINT "intervention_figures_tenant" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "intervention_sums" ADD CONSTRAINT "intervention_sums_tenant" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "intervention_figures_account" ON "intervention_figures" USING btree ("tenant_id","account_id");--> statement-breakpoint
CREATE INDEX "intervention_figures_began" ON "intervention_figures" USING btree ("tenant_id","began_at");--> statement-breakpoint
CREATE INDEX "intervention_figures_changes" ON "intervention_figures" USING btree ("tenant_id","changes_at");--> statement-breakpoint
CREATE INDEX "intervention_figures_basis" ON "intervention_figures" USING btree ("tenant_id","basis");--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "intervention_figures" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "intervention_marks" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "intervention_sums" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);