ALTER TABLE "send_rates" ADD COLUMN "pushed_ms" double precision DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "send_rates" ADD COLUMN "answers_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL;--> statement-breakpoint
grant update (pushed_ms, answers_at) on send_rates to rekindle_app;
--> statement-breakpoint
-- Make room for an answer in a chat, which leaves at once: `scopes` is a list of { scope, spacing_ms, answer_ms }. One answer in `answer_ms` takes a
-- place that no message of a sequence has; null: there is none. Any further one moves all moments that are reserved and have not come by one place.
create function push_send_slots(scopes jsonb) returns void
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  tenant uuid := current_setting('app.tenant')::uuid; asked_at timestamptz := clock_timestamp(); one record;
begin
  insert into send_rates (tenant_id, scope, free_at, answers_at)
  select tenant, s.scope, asked_at - interval '1 second', asked_at - interval '1 second' from jsonb_to_recordset(scopes) as s(scope text) order by s.scope
  on conflict do nothing;
  -- In a fixed order, as they are reserved.
  for one in select * from jsonb_to_recordset(scopes) as s(scope text, spacing_ms double precision, answer_ms double precision) order by s.scope loop
    update send_rates r set answers_at = asked_at + make_interval(secs => one.answer_ms / 1000)
    where r.tenant_id = tenant and r.scope = one.scope and r.answers_at <= asked_at and one.answer_ms is not null;
    continue when found;
    update send_rates r set
      pushed_ms = r.pushed_ms + case when r.free_at > asked_at then one.spacing_ms else 0 end,
      free_at = greatest(r.free_at, asked_at) + make_interval(secs => one.spacing_ms / 1000)
    where r.tenant_id = tenant and r.scope = one.scope;
  end loop;
end $$;
--> statement-breakpoint
-- Reserve the next moment at which a message may leave under every one of some rates: `scopes` is a list of { scope, spacing_ms }. The rows are locked
-- until COMMIT, so two dispatches never get the same moment. Beyond `latest` nothing is reserved. `in_ms` says for how many milliseconds it
-- has to be waited for, 0: not at all; `pushed_ms` what answers had pushed by then (push_send_slots): the moment moves by what is pushed later.
create function reserve_send_slot_2(scopes jsonb, latest timestamptz) returns jsonb
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  tenant uuid := current_setting('app.tenant')::uuid; asked_at timestamptz := clock_timestamp(); slot timestamptz; pushed double precision := 0; one record;
  held record;
begin
  insert into send_rates (tenant_id, scope, free_at)
  select tenant, s.scope, asked_at - interval '1 second' from jsonb_to_recordset(scopes) as s(scope text) order by s.scope
  on conflict do nothing;
  slot := asked_at;
  -- In a fixed order: of two that want several, neither waits for the other.
  for one in select s.scope from jsonb_to_recordset(scopes) as s(scope text) order by s.scope loop
    select r.free_at, r.pushed_ms into held from send_rates r where r.tenant_id = tenant and r.scope = one.scope for no key update;
    slot := greatest(slot, held.free_at);
    pushed := pushed + held.pushed_ms;
  end loop;
  if slot <= latest then
    update send_rates r set free_at = slot + make_interval(secs => s.spacing_ms / 1000)
    from jsonb_to_recordset(scopes) as s(scope text, spacing_ms double precision)
    where r.tenant_id = tenant and r.scope = s.scope;
  end if;
  return jsonb_build_object('in_ms', extract(epoch from slot - asked_at) * 1000, 'pushed_ms', pushed);
end $$;
--> statement-breakpoint
revoke execute on function push_send_slots(jsonb), reserve_send_slot_2(jsonb, timestamptz) from public;
--> statement-breakpoint
grant execute on function push_send_slots(jsonb), reserve_send_slot_2(jsonb, timestamptz) to rekindle_app;
