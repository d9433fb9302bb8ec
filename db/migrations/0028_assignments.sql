CREATE TABLE "assignments" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"sequence_id" uuid NOT NULL,
	"contact_id" uuid NOT NULL,
	"arm" text NOT NULL,
	"share" double precision NOT NULL,
	"assigned_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "assignments_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "assignments_once" UNIQUE("tenant_id","sequence_id","contact_id")
);
--> statement-breakpoint
ALTER TABLE "assignments" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "assignments" ADD CONSTRAINT "assignments_sequence_fk" FOREIGN KEY ("tenant_id","sequence_id") REFERENCES "public"."sequences"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "assignments" ADD CONSTRAINT "assignments_contact_fk" FOREIGN KEY ("tenant_id","contact_id") REFERENCES "public"."contacts"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "assignments_contact" ON "assignments" USING btree ("tenant_id","contact_id");--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "assignments" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
grant select, insert on assignments to rekindle_app;--> statement-breakpoint
-- What an activated enrollment counts for, as rows to be summed: itself, its messages by channel, the orders credited to it by currency. One whose
-- person is held out got nothing, and is in no figure of what the sequences did.
create or replace function figures_of_enrollment_3(tenant uuid, enrollment uuid, stop_reason text)
returns table (channel text, currency text, started int, purchased int, steps int, sent int, opened int, clicked int, orders int,
  revenue_minor bigint, gross_minor bigint, refunded_minor bigint, cancelled_orders int, unknown_orders int)
language sql stable
begin atomic
  select '', '', (stop_reason is distinct from 'holdout')::int, (stop_reason is not distinct from 'purchased')::int, 0, 0, 0, 0, 0, 0::bigint, 0::bigint, 0::bigint, 0, 0
  union all
  select coalesce(m.channel, ''), '', 0, 0, counts_as_step(m.state)::int, counts_as_sent(m.state)::int,
    (counts_as_sent(m.state) and m.opened_at is not null)::int, (counts_as_sent(m.state) and m.clicked_at is not null)::int, 0, 0, 0, 0, 0, 0
  from messages m where m.tenant_id = tenant and m.enrollment_id = enrollment
  union all
  select '', f.currency, 0, 0, 0, 0, 0, 0, f.orders, f.net_minor, f.gross_minor, f.refunded_minor, f.cancelled_orders, f.unknown_orders
  from conversions c cross join lateral figures_of_order(c) f where c.tenant_id = tenant and c.enrollment_id = enrollment;
end;
