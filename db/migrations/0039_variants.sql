CREATE TABLE "variant_assignments" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"sequence_id" uuid NOT NULL,
	"step_id" text NOT NULL,
	"contact_id" uuid NOT NULL,
	"variant" text NOT NULL,
	"shares" jsonb NOT NULL,
	"assigned_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "variant_assignments_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "variant_assignments_once" UNIQUE("tenant_id","sequence_id","step_id","contact_id")
);
--> statement-breakpoint
ALTER TABLE "variant_assignments" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "variant" text;--> statement-breakpoint
ALTER TABLE "variant_assignments" ADD CONSTRAINT "variant_assignments_sequence_fk" FOREIGN KEY ("tenant_id","sequence_id") REFERENCES "public"."sequences"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "variant_assignments" ADD CONSTRAINT "variant_assignments_contact_fk" FOREIGN KEY ("tenant_id","contact_id") REFERENCES "public"."contacts"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "variant_assignments_contact" ON "variant_assignments" USING btree ("tenant_id","contact_id");--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "variant_assignments" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
grant select, insert on variant_assignments to rekindle_app;
--> statement-breakpoint
grant update (variant) on messages to rekindle_app;
