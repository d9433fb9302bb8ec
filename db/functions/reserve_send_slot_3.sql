-- Reserve the next moment at which a message may leave under every one of some rates: `scopes` is a list of { scope, spacing_ms, most, window_ms,
-- for_answers }, the latter three null where the rate has no window (leaves_from). The rows are locked until COMMIT, so two dispatches never get the same
-- moment. Beyond `latest` nothing is reserved. `in_ms` says for how many milliseconds it has to be waited for; 0: it leaves now, and that is noted
-- in its windows. `pushed_ms` is what answers had pushed by then (push_send_slots_2): the moment moves by what is pushed later. `at`: now; null: by
-- the clock.
create function reserve_send_slot_3(scopes jsonb, latest timestamptz, at timestamptz default null) returns jsonb
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  tenant uuid := current_setting('app.tenant')::uuid; asked_at timestamptz := coalesce(at, clock_timestamp()); slot timestamptz; pushed double precision := 0;
  one record; held record;
begin
  insert into send_rates (tenant_id, scope, free_at, answers_at)
  select tenant, s.scope, asked_at - interval '1 second', asked_at - interval '1 second' from jsonb_to_recordset(scopes) as s(scope text) order by s.scope
  on conflict do nothing;
  slot := asked_at;
  -- In a fixed order: of two that want several, neither waits for the other.
  for one in
    select * from jsonb_to_recordset(scopes) as s(scope text, most int, window_ms double precision, for_answers int) order by s.scope
  loop
    select r.free_at, r.pushed_ms, leaves_from(r.left_at, r.closed_until, asked_at, one.most, one.window_ms, one.for_answers) as leaves_at into held
    from send_rates r where r.tenant_id = tenant and r.scope = one.scope for no key update;
    slot := greatest(slot, held.free_at, held.leaves_at);
    pushed := pushed + held.pushed_ms;
  end loop;
  if slot <= latest then
    update send_rates r set free_at = slot + make_interval(secs => s.spacing_ms / 1000)
    from jsonb_to_recordset(scopes) as s(scope text, spacing_ms double precision)
    where r.tenant_id = tenant and r.scope = s.scope;
    if slot <= asked_at then perform note_departure(scopes, coalesce(at, clock_timestamp())); end if;
  end if;
  return jsonb_build_object('in_ms', extract(epoch from slot - asked_at) * 1000, 'pushed_ms', pushed);
end $$;
