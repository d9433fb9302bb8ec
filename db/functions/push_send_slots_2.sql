-- Make room for an answer in a chat: `scopes` is a list of { scope, spacing_ms, answer_ms, most, window_ms }. One answer in `answer_ms` takes a
-- place that no message of a sequence has; null: there is none. Any further one moves all moments that are reserved and have not come by one place.
-- Returns for how many milliseconds the answer has to wait, so that no window (leaves_from) is passed: 0 as a rule. Its place is noted. `at`: now;
-- null: by the clock.
create function push_send_slots_2(scopes jsonb, at timestamptz default null) returns double precision
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  tenant uuid := current_setting('app.tenant')::uuid; asked_at timestamptz := coalesce(at, clock_timestamp()); leaves_at timestamptz; one record;
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
  -- The rows are locked now: whoever waited for that leaves now, not when it asked.
  asked_at := coalesce(at, clock_timestamp());
  select greatest(asked_at, max(leaves_from(r.left_at, r.closed_until, asked_at, s.most, s.window_ms, null))) into leaves_at
  from jsonb_to_recordset(scopes) as s(scope text, most int, window_ms double precision) join send_rates r on r.tenant_id = tenant and r.scope = s.scope;
  perform note_departure(scopes, leaves_at);
  return extract(epoch from leaves_at - asked_at) * 1000;
end $$;
