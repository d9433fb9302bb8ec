CREATE TABLE "connection_tokens" (
	"tenant_id" uuid NOT NULL,
	"connection_id" uuid NOT NULL,
	"granted_for" text NOT NULL,
	"sealed_access" text NOT NULL,
	"sealed_refresh" text NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"generation" integer DEFAULT 0 NOT NULL,
	"renewer" uuid,
	"renewing_since" timestamp (3) with time zone,
	"updated_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "connection_tokens_tenant_id_connection_id_pk" PRIMARY KEY("tenant_id","connection_id")
);
--> statement-breakpoint
ALTER TABLE "connection_tokens" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "connection_tokens" ADD CONSTRAINT "connection_tokens_connection_fk" FOREIGN KEY ("tenant_id","connection_id") REFERENCES "public"."connections"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "connection_tokens" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
grant select, insert, delete, update (granted_for, sealed_access, sealed_refresh, expires_at, generation, renewer, renewing_since, updated_at) on connection_tokens to rekindle_app;
