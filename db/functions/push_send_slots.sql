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
