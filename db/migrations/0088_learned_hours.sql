CREATE TABLE "conversion_rules" (
	"tenant_id" uuid NOT NULL,
	"channel" text NOT NULL,
	"day" integer NOT NULL,
	"hour" integer NOT NULL,
	"sends" integer NOT NULL,
	"conversions" integer NOT NULL,
	"rate" double precision NOT NULL,
	"expected" double precision NOT NULL,
	"chance_better" double precision NOT NULL,
	"preferred_at" timestamp (3) with time zone,
	"refreshed_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "conversion_rules_tenant_id_channel_day_hour_pk" PRIMARY KEY("tenant_id","channel","day","hour"),
	CONSTRAINT "conversion_rules_slot" CHECK (day between 0 and 6 and hour between 0 and 23),
	CONSTRAINT "conversion_rules_counts" CHECK (conversions between 0 and sends)
);
--> statement-breakpoint
ALTER TABLE "conversion_rules" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "local_slot" smallint;--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "hour_by" text;--> statement-breakpoint
ALTER TABLE "conversion_rules" ADD CONSTRAINT "conversion_rules_tenant" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "conversion_rules" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
grant select, insert, delete on conversion_rules to rekindle_app;
--> statement-breakpoint
grant update (local_slot, hour_by) on messages to rekindle_app;
