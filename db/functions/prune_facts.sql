-- Delete up to `most` facts that expired longer than `kept` ago and that nothing can be decided by any more. Decisions hold what they stated themselves.
-- Two kinds of expired facts stay: one behind which an earlier observation is still fresh, because the latest counts; and the price that a running
-- enrollment's subject had when it was left, which is the latest one until then. SECURITY DEFINER: it spans tenants, and the application deletes no facts.
create function prune_facts(kept interval, most int) returns int
language sql security definer set search_path = pg_catalog, public as $$
  with running as (
    select s.tenant_id, min(s.last_activity_at) as since
    from public.enrollments e join public.subjects s on s.tenant_id = e.tenant_id and s.id = e.subject_id
    where e.ended_at is null group by s.tenant_id
  ), over as (
    select f.tenant_id, f.id from public.facts f left join running r on r.tenant_id = f.tenant_id
    where f.expires_at < clock_timestamp() - kept
      and not exists (select from public.facts g where g.tenant_id = f.tenant_id and g.kind = f.kind and g.subject = f.subject and g.id <> f.id
        and g.observed_at <= f.observed_at and g.expires_at > clock_timestamp())
      and (f.kind <> 'price' or exists (select from public.facts h where h.tenant_id = f.tenant_id and h.kind = f.kind and h.subject = f.subject
        and h.observed_at > f.observed_at and h.observed_at <= coalesce(r.since, clock_timestamp())
        and (h.connection_id is null or h.connection_id = f.connection_id)))
    limit most
  ), gone as (
    delete from public.facts f using over o where f.tenant_id = o.tenant_id and f.id = o.id returning f.id
  )
  select count(*)::int from gone
$$;
