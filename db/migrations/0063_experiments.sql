CREATE TABLE "experiments" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"sequence_id" uuid NOT NULL,
	"step_id" text NOT NULL,
	"shares" jsonb NOT NULL,
	"status" text DEFAULT 'RUNNING' NOT NULL,
	"started_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"ended_at" timestamp (3) with time zone,
	"winner" text,
	"verdict" jsonb,
	"takeover" text,
	"version" integer,
	"resolved_at" timestamp (3) with time zone,
	"resolved_by" text,
	CONSTRAINT "experiments_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "experiments_decided" CHECK ((status = 'DECIDED') = (winner is not null and verdict is not null and takeover is not null)),
	CONSTRAINT "experiments_ended" CHECK ((status = 'RUNNING') = (ended_at is null))
);
--> statement-breakpoint
ALTER TABLE "experiments" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "experiments" ADD CONSTRAINT "experiments_sequence_fk" FOREIGN KEY ("tenant_id","sequence_id") REFERENCES "public"."sequences"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "experiments_running" ON "experiments" USING btree ("tenant_id","sequence_id","step_id") WHERE status = 'RUNNING';--> statement-breakpoint
CREATE INDEX "experiments_step" ON "experiments" USING btree ("tenant_id","sequence_id","step_id");--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "experiments" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
grant select, insert, update (status, ended_at, winner, verdict, takeover, version, resolved_at, resolved_by) on experiments to rekindle_app;
