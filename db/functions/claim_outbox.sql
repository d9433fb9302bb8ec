-- Claim the first outbox row of each enrollment that is due, for the relay. SECURITY DEFINER: it spans tenants.
-- A long outbox (Temporal was away) is walked by its indexes, in the order in which rows are due, and no further than asked: `due_by` is a
-- value that an index can be searched for, which `clock_timestamp()` in the condition is not.
create function claim_outbox(max_rows int, claim_ms int)
returns table (tenant_id uuid, seq bigint, enrollment_id uuid, kind text, attempts int, created_at timestamptz)
language plpgsql volatile security definer set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
#variable_conflict use_column
declare
  due_by timestamptz := clock_timestamp();
begin
  return query
  with heads as (
    select o.tenant_id, o.seq from public.outbox o
    where o.next_attempt_at <= due_by
      and (o.claimed_until is null or o.claimed_until <= due_by)
      and not exists (
        select 1 from public.outbox e where e.tenant_id = o.tenant_id and e.enrollment_id = o.enrollment_id and e.seq < o.seq)
    order by o.next_attempt_at, o.seq
    limit max_rows
    for update skip locked
  )
  update public.outbox o
  set claimed_until = clock_timestamp() + make_interval(secs => claim_ms / 1000.0), attempts = o.attempts + 1
  from heads h where o.tenant_id = h.tenant_id and o.seq = h.seq
  returning o.tenant_id, o.seq, o.enrollment_id, o.kind, o.attempts, o.created_at;
end $$;
