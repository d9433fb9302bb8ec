-- Claim the first outbox row of each enrollment that is due, for the relay: in turns by store, so that a store with thousands of them keeps nobody waiting, and of each store in the
-- order in which they are due. SECURITY DEFINER: it spans tenants.
-- A long outbox (Temporal was away) is walked by its indexes, store by store, and no further than asked: `due_by` is a value that an index can be searched for, which
-- `clock_timestamp()` in the condition is not. Source: docs/adr/0122-stores-take-turns-all-the-way.md
create function claim_outbox(max_rows int, claim_ms int)
returns table (tenant_id uuid, seq bigint, enrollment_id uuid, kind text, attempts int, created_at timestamptz)
language plpgsql volatile security definer set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
#variable_conflict use_column
declare
  due_by timestamptz := clock_timestamp();
begin
  return query
  with recursive stores as (
    (select o.tenant_id from public.outbox o order by o.tenant_id limit 1)
    union all
    select n.tenant_id from stores s cross join lateral (select o.tenant_id from public.outbox o where o.tenant_id > s.tenant_id order by o.tenant_id limit 1) n),
  -- Four times as many as are asked for: those that other processes claim at this moment are passed over below.
  candidates as (
    select d.tenant_id, d.seq, row_number() over (partition by d.tenant_id order by d.next_attempt_at, d.seq) as turn
    from (select s.tenant_id, count(*) over () as stores from stores s) s
      cross join lateral (
        select o.tenant_id, o.seq, o.next_attempt_at
        from public.outbox o
        where o.tenant_id = s.tenant_id and o.next_attempt_at <= due_by
          and (o.claimed_until is null or o.claimed_until <= due_by)
          and not exists (
            select 1 from public.outbox e where e.tenant_id = o.tenant_id and e.enrollment_id = o.enrollment_id and e.seq < o.seq)
        order by o.next_attempt_at, o.seq
        limit 1 + 4 * max_rows / s.stores) d),
  heads as (
    select o.tenant_id, o.seq
    from candidates c join public.outbox o on o.tenant_id = c.tenant_id and o.seq = c.seq
    where o.claimed_until is null or o.claimed_until <= due_by
    -- By chance among stores: where there are more of them than rows are asked for, those that have waited longest would keep all others from having a turn.
    order by c.turn, random()
    limit max_rows
    for update of o skip locked
  )
  update public.outbox o
  set claimed_until = clock_timestamp() + make_interval(secs => claim_ms / 1000.0), attempts = o.attempts + 1
  from heads h where o.tenant_id = h.tenant_id and o.seq = h.seq
  returning o.tenant_id, o.seq, o.enrollment_id, o.kind, o.attempts, o.created_at;
end $$;
