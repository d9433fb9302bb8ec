CREATE TABLE "experiment_assignments" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"experiment_id" uuid NOT NULL,
	"contact_id" uuid NOT NULL,
	"variant" text NOT NULL,
	"assigned_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "experiment_assignments_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "experiment_assignments_once" UNIQUE("tenant_id","experiment_id","contact_id")
);
--> statement-breakpoint
ALTER TABLE "experiment_assignments" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
-- contract: the build before reads a test only together with its sequence
ALTER TABLE "experiments" ALTER COLUMN "sequence_id" DROP NOT NULL;--> statement-breakpoint
-- contract: the build before reads a test only together with its sequence
ALTER TABLE "experiments" ALTER COLUMN "step_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "experiments" ADD COLUMN "campaign_id" uuid;--> statement-breakpoint
ALTER TABLE "experiments" ADD COLUMN "channel" text;--> statement-breakpoint
ALTER TABLE "experiments" ADD COLUMN "scripts" jsonb;--> statement-breakpoint
ALTER TABLE "experiments" ADD COLUMN "window_ms" bigint;--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "experiment_id" uuid;--> statement-breakpoint
ALTER TABLE "experiment_assignments" ADD CONSTRAINT "experiment_assignments_experiment_fk" FOREIGN KEY ("tenant_id","experiment_id") REFERENCES "public"."experiments"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "experiment_assignments" ADD CONSTRAINT "experiment_assignments_contact_fk" FOREIGN KEY ("tenant_id","contact_id") REFERENCES "public"."contacts"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "experiment_assignments_contact" ON "experiment_assignments" USING btree ("tenant_id","contact_id");--> statement-breakpoint
-- contract: the build before writes no campaign
ALTER TABLE "experiments" ADD CONSTRAINT "experiments_campaign_fk" FOREIGN KEY ("tenant_id","campaign_id") REFERENCES "public"."campaigns"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
-- contract: the build before writes no campaign
CREATE UNIQUE INDEX "experiments_running_campaign" ON "experiments" USING btree ("tenant_id","campaign_id","channel") WHERE status = 'RUNNING';--> statement-breakpoint
CREATE INDEX "experiments_campaign" ON "experiments" USING btree ("tenant_id","campaign_id");--> statement-breakpoint
CREATE INDEX "messages_experiment" ON "messages" USING btree ("tenant_id","experiment_id") WHERE experiment_id is not null;--> statement-breakpoint
-- contract: rows of the build before have a sequence and a step, and no campaign
ALTER TABLE "experiments" ADD CONSTRAINT "experiments_of" CHECK ((sequence_id is null) = (step_id is null) and (campaign_id is null) = (sequence_id is not null)
        and (campaign_id is null) = (channel is null) and (campaign_id is null) = (scripts is null) and (campaign_id is null) = (window_ms is null));--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "experiment_assignments" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
grant select, insert on experiment_assignments to rekindle_app;--> statement-breakpoint
grant update (experiment_id) on messages to rekindle_app;
