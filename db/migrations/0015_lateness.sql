-- How late steps were dispatched in the last minute, stored by the workers that saw it, for /healthz, /metrics and the live page.
CREATE TABLE "lateness" (
	"tenant_id" uuid NOT NULL,
	"slot" integer NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"steps" integer NOT NULL,
	"worst_ms" bigint NOT NULL,
	CONSTRAINT "lateness_tenant_id_slot_pk" PRIMARY KEY("tenant_id","slot")
);
--> statement-breakpoint
ALTER TABLE "lateness" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "lateness" ADD CONSTRAINT "lateness_tenant" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "lateness_at" ON "lateness" USING btree ("at");--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "lateness" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);--> statement-breakpoint
grant select, insert, update (at, steps, worst_ms) on lateness to rekindle_app;
--> statement-breakpoint
-- Two figures that span tenants and name none.
create function late_steps(within_ms double precision)
returns table (steps bigint, worst_ms bigint)
language sql stable security definer set search_path = pg_catalog, public as $$
  select coalesce(sum(l.steps), 0), coalesce(max(l.worst_ms), 0) from public.lateness l
  where l.at > clock_timestamp() - make_interval(secs => within_ms / 1000.0)
$$;
--> statement-breakpoint
revoke execute on function late_steps(double precision) from public;
--> statement-breakpoint
grant execute on function late_steps(double precision) to rekindle_app;
