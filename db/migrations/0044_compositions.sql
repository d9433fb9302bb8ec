CREATE TABLE "compositions" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"enrollment_id" uuid NOT NULL,
	"step_id" text NOT NULL,
	"state" text NOT NULL,
	"approval" text,
	"decided_by" text,
	"decided_at" timestamp (3) with time zone,
	"reason" text,
	"guard" text,
	"detail" text,
	"channel" text NOT NULL,
	"language" text NOT NULL,
	"fingerprint" text NOT NULL,
	"subject" text,
	"body" text,
	"cta" text,
	"model" text NOT NULL,
	"claim" uuid,
	"claimed_at" timestamp (3) with time zone,
	"calls" integer DEFAULT 0 NOT NULL,
	"input_tokens" integer DEFAULT 0 NOT NULL,
	"output_tokens" integer DEFAULT 0 NOT NULL,
	"cost_micros" bigint DEFAULT 0 NOT NULL,
	"due_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"settled_at" timestamp (3) with time zone,
	CONSTRAINT "compositions_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "compositions_send_key" UNIQUE("tenant_id","enrollment_id","step_id"),
	CONSTRAINT "compositions_state" CHECK (state in ('calling', 'waiting', 'ready', 'failed')),
	CONSTRAINT "compositions_ready_has_words" CHECK (state <> 'ready' or body is not null)
);
--> statement-breakpoint
ALTER TABLE "compositions" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "model_spending" (
	"tenant_id" uuid NOT NULL,
	"day" date NOT NULL,
	"micros" bigint NOT NULL,
	CONSTRAINT "model_spending_tenant_id_day_pk" PRIMARY KEY("tenant_id","day")
);
--> statement-breakpoint
ALTER TABLE "model_spending" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "fault" text;--> statement-breakpoint
ALTER TABLE "compositions" ADD CONSTRAINT "compositions_enrollment_fk" FOREIGN KEY ("tenant_id","enrollment_id") REFERENCES "public"."enrollments"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "model_spending" ADD CONSTRAINT "model_spending_tenant" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "compositions_pending" ON "compositions" USING btree ("tenant_id","id") WHERE approval = 'pending';--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "compositions" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "model_spending" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
grant select, insert, update on compositions to rekindle_app;
--> statement-breakpoint
grant select, insert, update (micros) on model_spending to rekindle_app;
--> statement-breakpoint
grant update (fault) on connections to rekindle_app;
