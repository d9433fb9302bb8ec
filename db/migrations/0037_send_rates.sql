CREATE TABLE "send_rates" (
	"tenant_id" uuid NOT NULL,
	"scope" text NOT NULL,
	"free_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "send_rates_tenant_id_scope_pk" PRIMARY KEY("tenant_id","scope")
);
--> statement-breakpoint
ALTER TABLE "send_rates" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "rate" jsonb;--> statement-breakpoint
ALTER TABLE "enrollments" ADD COLUMN "slots" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "send_rates" ADD CONSTRAINT "send_rates_tenant" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE POLICY "tenant_rows" ON "send_rates" AS PERMISSIVE FOR ALL TO "rekindle_app" USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--> statement-breakpoint
grant select, insert, update (free_at) on send_rates to rekindle_app;--> statement-breakpoint
grant update (rate) on connections to rekindle_app;--> statement-breakpoint
grant update (slots) on enrollments to rekindle_app;--> statement-breakpoint
-- Reserve the next moment at which a message may leave under every one of some rates: `scopes` is a list of { scope, spacing_ms }. The rows are locked
-- until COMMIT, so two dispatches never get the same moment. Beyond `latest` nothing is reserved. Returns for how many milliseconds it
-- has to be waited for; 0: not at all.
create or replace function reserve_send_slot(scopes jsonb, latest timestamptz) returns double precision
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  tenant uuid := current_setting('app.tenant')::uuid; asked_at timestamptz := clock_timestamp(); slot timestamptz; one record;
begin
  insert into send_rates (tenant_id, scope, free_at)
  select tenant, s.scope, asked_at - interval '1 second' from jsonb_to_recordset(scopes) as s(scope text) order by s.scope
  on conflict do nothing;
  slot := asked_at;
  -- In a fixed order: of two that want several, neither waits for the other.
  for one in select s.scope from jsonb_to_recordset(scopes) as s(scope text) order by s.scope loop
    select greatest(slot, r.free_at) into slot from send_rates r where r.tenant_id = tenant and r.scope = one.scope for no key update;
  end loop;
  if slot <= latest then
    update send_rates r set free_at = slot + make_interval(secs => s.spacing_ms / 1000)
    from jsonb_to_recordset(scopes) as s(scope text, spacing_ms double precision)
    where r.tenant_id = tenant and r.scope = s.scope;
  end if;
  return extract(epoch from slot - asked_at) * 1000;
end $$;
--> statement-breakpoint
revoke execute on function reserve_send_slot(jsonb, timestamptz) from public;
--> statement-breakpoint
grant execute on function reserve_send_slot(jsonb, timestamptz) to rekindle_app;
