ALTER TABLE "send_rates" ADD COLUMN "left_at" timestamp with time zone[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "send_rates" ADD COLUMN "closed_until" timestamp (3) with time zone;--> statement-breakpoint
grant update (left_at, closed_until) on send_rates to rekindle_app;
--> statement-breakpoint
-- From when on something more may leave that has to keep to a window: at most `most` in any `window_ms`, and none before `closed_until`. Of them,
-- `for_answers` are left for answers in chats; null: it is one. Of the messages of sequences no more than half leave in a quarter of the window, so
-- that an answer never waits for all of it. `left_at` is what has left and what has a place, the latest first.
create function leaves_from(left_at timestamptz[], closed_until timestamptz, asked_at timestamptz, most int, window_ms double precision, for_answers int)
returns timestamptz
language sql immutable as $$
  select greatest(
    asked_at, closed_until,
    left_at[most - coalesce(for_answers, 0)] + make_interval(secs => window_ms / 1000),
    case when for_answers is not null then left_at[most / 2] + make_interval(secs => window_ms / 4000) end
  )
$$;
--> statement-breakpoint
-- Note in the windows of some rates when something leaves. No more is kept than a window holds.
create function note_departure(scopes jsonb, leaves_at timestamptz) returns void
language sql volatile as $$
  update send_rates r set left_at = (
    select array_agg(l.at order by l.at desc) from (select at from unnest(r.left_at || leaves_at) as u(at) order by at desc limit s.most) as l
  )
  from jsonb_to_recordset(scopes) as s(scope text, most int)
  where r.tenant_id = current_setting('app.tenant')::uuid and r.scope = s.scope and s.most is not null
$$;
--> statement-breakpoint
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
--> statement-breakpoint
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
--> statement-breakpoint
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
--> statement-breakpoint
revoke execute on function
  leaves_from(timestamptz[], timestamptz, timestamptz, int, double precision, int), note_departure(jsonb, timestamptz),
  reserve_send_slot_3(jsonb, timestamptz, timestamptz), leave_in_slot(jsonb, double precision, double precision, timestamptz),
  push_send_slots_2(jsonb, timestamptz)
  from public;
--> statement-breakpoint
grant execute on function
  leaves_from(timestamptz[], timestamptz, timestamptz, int, double precision, int), note_departure(jsonb, timestamptz),
  reserve_send_slot_3(jsonb, timestamptz, timestamptz), leave_in_slot(jsonb, double precision, double precision, timestamptz),
  push_send_slots_2(jsonb, timestamptz)
  to rekindle_app;
