CREATE TABLE "outage_drills" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"part" text NOT NULL,
	"channel" text,
	"share_percent" integer NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"ends_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone,
	"started_by" text NOT NULL,
	CONSTRAINT "outage_drills_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "outage_drills_part" CHECK (part in ('provider', 'worker', 'temporal')),
	CONSTRAINT "outage_drills_share" CHECK (share_percent between 1 and 100),
	CONSTRAINT "outage_drills_end" CHECK (ends_at > started_at and ends_at <= started_at + interval '4 hours')
);
--> statement-breakpoint
ALTER TABLE "outage_drills" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "outage_drills" ADD CONSTRAINT "outage_drills_tenant" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "outage_drills_on" ON "outage_drills" USING btree ("tenant_id","ends_at") WHERE ended_at is null;--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "outage_drills" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
grant select, insert, update (ended_at) on outage_drills to rekindle_app;
