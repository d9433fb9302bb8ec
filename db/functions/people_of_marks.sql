-- The people whose arms these marks of a store are about: also whoever a contact was before it became part of somebody.
create function people_of_marks(tenant uuid, marks course_marks[]) returns setof uuid language plpgsql stable
set search_path = pg_catalog, public set plan_cache_mode = force_custom_plan set enable_seqscan = off set jit = off as $$
begin
  return query
  with m as materialized (select n.* from unnest(marks) n),
  scopes as materialized (
    select n.scope_id as id, n.done_to from m n where n.scope_id is not null
    union all
    select a.id, null::uuid
    from (select s.id from public.sequences s where s.tenant_id = tenant union all select x.id from public.experiments x where x.tenant_id = tenant) a
    where exists (select from m n where num_nonnulls(n.subject_id, n.enrollment_id, n.message_id, n.contact_id, n.account_id, n.scope_id) = 0)),
  contact_ids as materialized (
    select n.contact_id as id from m n where n.contact_id is not null
    union
    select e.contact_id from m n join public.enrollments e on e.tenant_id = tenant and e.id = n.enrollment_id
    union
    select e.contact_id from m n join public.enrollments e on e.tenant_id = tenant and e.subject_id = n.account_id
    union
    select p.contact_id from scopes s cross join lateral public.people_in_scope(tenant, s.id, s.done_to, null) p(contact_id))
  select n.contact_id from m n where n.contact_id is not null
  union
  select c.person_id from contact_ids i join public.contacts c on c.tenant_id = tenant and c.id = i.id;
end $$;
