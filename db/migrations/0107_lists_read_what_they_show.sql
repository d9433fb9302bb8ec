CREATE TABLE "open_counts" (
	"tenant_id" uuid NOT NULL,
	"seq" bigint GENERATED ALWAYS AS IDENTITY (sequence name "open_counts_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"sequence_id" uuid NOT NULL,
	"version_id" uuid NOT NULL,
	"change" integer NOT NULL,
	"folded" boolean DEFAULT false NOT NULL,
	CONSTRAINT "open_counts_tenant_id_seq_pk" PRIMARY KEY("tenant_id","seq")
);
--> statement-breakpoint
ALTER TABLE "open_counts" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "compositions" ADD COLUMN "is_over" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "enrollments" ADD COLUMN "put_off_until" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "imports" ADD COLUMN "mistakes" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "lead_conversions" ADD COLUMN "campaign_id" uuid;--> statement-breakpoint
CREATE UNIQUE INDEX "open_counts_folded" ON "open_counts" USING btree ("tenant_id","version_id") WHERE folded;--> statement-breakpoint
CREATE INDEX "open_counts_unfolded" ON "open_counts" USING btree ("tenant_id","seq") WHERE not folded;--> statement-breakpoint
CREATE INDEX "compositions_unasked" ON "compositions" USING btree ("tenant_id","is_over","id") WHERE state = 'ready' and approval is null;--> statement-breakpoint
CREATE INDEX "compositions_waiting" ON "compositions" USING btree ("tenant_id","id") WHERE state = 'ready' and not is_over and (approval is null or approval = 'pending');--> statement-breakpoint
CREATE INDEX "compositions_asked" ON "compositions" USING btree ("tenant_id","is_over","id") WHERE state = 'ready' and approval = 'pending';--> statement-breakpoint
CREATE INDEX "enrollments_put_off" ON "enrollments" USING btree ("tenant_id","put_off_until") WHERE ended_at is null and put_off_until is not null;--> statement-breakpoint
CREATE INDEX "lead_conversions_campaign" ON "lead_conversions" USING btree ("tenant_id","campaign_id","id") WHERE campaign_id is not null;--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "open_counts" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);