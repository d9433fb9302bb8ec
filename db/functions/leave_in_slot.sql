-- Whether a message leaves whose reserved moment would come in `until_ms`, if answers had pushed nothing (less than 0: it has come): `due_ms` says when
-- it comes, with what they have pushed. One whose moment came less than `life_ms` ago leaves where the windows of its rates have room
-- (`scopes` as for reserve_send_slot_3): `leaves_in_ms` is 0 then, and that is noted; else it is the time until there is room. null: its moment has
-- not come, or is lost. Rates with a window are locked until COMMIT. `at`: now; null: by the clock.
create function leave_in_slot(scopes jsonb, until_ms double precision, life_ms double precision, at timestamptz default null) returns jsonb
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  tenant uuid := current_setting('app.tenant')::uuid; due_ms double precision; asked_at timestamptz; leaves_at timestamptz;
begin
  select until_ms + coalesce(sum(r.pushed_ms), 0) into due_ms
  from jsonb_to_recordset(scopes) as s(scope text) join send_rates r on r.tenant_id = tenant and r.scope = s.scope;
  if due_ms > 0 or due_ms < -life_ms then return jsonb_build_object('due_ms', due_ms, 'leaves_in_ms', null); end if;
  perform 1 from jsonb_to_recordset(scopes) as s(scope text, most int) join send_rates r on r.tenant_id = tenant and r.scope = s.scope
  where s.most is not null order by r.scope for no key update of r;
  -- After the locks: whoever waited for them leaves now, not when it asked.
  asked_at := coalesce(at, clock_timestamp());
  select greatest(asked_at, max(leaves_from(r.left_at, r.closed_until, asked_at, s.most, s.window_ms, s.for_answers))) into leaves_at
  from jsonb_to_recordset(scopes) as s(scope text, most int, window_ms double precision, for_answers int)
  join send_rates r on r.tenant_id = tenant and r.scope = s.scope;
  if leaves_at <= asked_at then perform note_departure(scopes, asked_at); end if;
  return jsonb_build_object('due_ms', due_ms, 'leaves_in_ms', extract(epoch from leaves_at - asked_at) * 1000);
end $$;
