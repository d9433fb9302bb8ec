CREATE TABLE "alarm_standings" (
	"tenant_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"figure" double precision,
	"raised" boolean DEFAULT false NOT NULL,
	"crossed_at" timestamp (3) with time zone,
	"checked_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "alarm_standings_tenant_id_kind_pk" PRIMARY KEY("tenant_id","kind")
);
--> statement-breakpoint
ALTER TABLE "alarm_standings" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "alarms" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"kind" text NOT NULL,
	"figure" double precision NOT NULL,
	"threshold" double precision NOT NULL,
	"raised_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"cleared_at" timestamp (3) with time zone,
	CONSTRAINT "alarms_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "alarms_kind" CHECK (kind in ('latency', 'success', 'escalation_share', 'failures', 'backlog'))
);
--> statement-breakpoint
ALTER TABLE "alarms" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "alarm_standings" ADD CONSTRAINT "alarm_standings_tenant" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "alarms" ADD CONSTRAINT "alarms_tenant" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "alarms_open" ON "alarms" USING btree ("tenant_id","kind") WHERE cleared_at is null;--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "alarm_standings" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "alarms" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
grant select, insert, update (figure, raised, crossed_at, checked_at) on alarm_standings to rekindle_app;
--> statement-breakpoint
grant select, insert, update (cleared_at) on alarms to rekindle_app;
--> statement-breakpoint
create trigger webhooks_of_alarm after insert on alarms for each row execute function note_webhook_event('alarm.raised');
--> statement-breakpoint
create trigger webhooks_of_cleared_alarm after update of cleared_at on alarms for each row
  when (old.cleared_at is null and new.cleared_at is not null) execute function note_webhook_event('alarm.cleared');
