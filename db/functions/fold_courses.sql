-- Compute the figures of up to so many marked changes anew, of subjects and of people in arms, and move the difference into the sums; returns how many marks were done, 0 also
-- while another process folds. A marked scope has its turn where fewer are marked, and as many people of it are done. A change and its mark are committed together: what this does not see yet is marked again. SECURITY DEFINER: it spans tenants, and the application may not
-- write sums. Source: docs/adr/0110-what-became-of-people-is-kept.md
create function fold_courses(max_marks int) returns int language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  taken public.course_marks[]; store record; scope public.course_marks; contact_ids uuid[];
begin
  if not pg_try_advisory_xact_lock(hashtext('rekindle.courses')) then return 0; end if;
  -- All subjects of a store are done a part at a time: they may be many.
  with whole as materialized (
    delete from public.course_marks m where num_nonnulls(m.subject_id, m.enrollment_id, m.message_id, m.contact_id, m.account_id, m.scope_id) = 0 returning m.tenant_id)
  insert into public.course_marks (tenant_id, subject_id, scope_id)
  select s.tenant_id, s.id, null from public.subjects s where s.tenant_id in (select w.tenant_id from whole w)
  union all
  select s.tenant_id, null, s.id from public.sequences s where s.tenant_id in (select w.tenant_id from whole w)
  union all
  select x.tenant_id, null, x.id from public.experiments x where x.tenant_id in (select w.tenant_id from whole w);
  with gone as (
    delete from public.course_marks m where m.ctid = any(array(select f.ctid from public.course_marks f where f.scope_id is null order by f.tenant_id, f.seq limit max_marks)) returning m)
  select array_agg(g.m) into taken from gone g;
  for store in
    select k.tenant_id, array_agg(distinct coalesce(k.subject_id, e.subject_id)) as ids
    from unnest(taken) k
      -- A tenant that was erased meanwhile has no figures.
      join public.tenants t on t.id = k.tenant_id
      left join public.messages g on g.tenant_id = k.tenant_id and g.id = k.message_id
      left join public.enrollments e on e.tenant_id = k.tenant_id and e.id = coalesce(k.enrollment_id, g.enrollment_id)
    where coalesce(k.subject_id, e.subject_id) is not null group by 1
  loop
    perform public.add_courses(store.tenant_id, store.ids);
  end loop;
  -- What interventions count for is judged by a job of the application, from here on.
  insert into public.intervention_marks (tenant_id, account_id)
  select distinct k.tenant_id, a.id
  from unnest(taken) k join public.tenants t on t.id = k.tenant_id
    left join public.messages g on g.tenant_id = k.tenant_id and g.id = k.message_id
    left join public.enrollments e on e.tenant_id = k.tenant_id and e.id = coalesce(k.enrollment_id, g.enrollment_id)
    cross join lateral (values (coalesce(k.subject_id, e.subject_id)), (k.account_id)) a(id)
  where exists (select from public.enrollments x where x.tenant_id = k.tenant_id and x.subject_id = a.id and x.subject_kind = 'account')
    -- Its interventions may have become another account's.
    or exists (select from public.intervention_figures f where f.tenant_id = k.tenant_id and f.account_id = a.id);
  for store in
    select k.tenant_id, array_agg(k) as marks from unnest(taken) k join public.tenants t on t.id = k.tenant_id
    where num_nonnulls(k.contact_id, k.enrollment_id, k.account_id) > 0 group by 1
  loop
    perform public.add_arms(store.tenant_id, array(select p.id from public.people_of_marks(store.tenant_id, store.marks) p(id)));
  end loop;
  if coalesce(cardinality(taken), 0) >= max_marks then return coalesce(cardinality(taken), 0); end if;
  select m.* into scope from public.course_marks m where m.scope_id is not null order by m.tenant_id, m.seq limit 1;
  if scope.scope_id is null then return coalesce(cardinality(taken), 0); end if;
  contact_ids := array(select p.id from public.people_in_scope(scope.tenant_id, scope.scope_id, scope.done_to, max_marks) p(id) order by p.id limit max_marks);
  if cardinality(contact_ids) = 0 then
    delete from public.course_marks m where m.tenant_id = scope.tenant_id and m.seq = scope.seq;
  else
    perform public.add_arms(scope.tenant_id, array(select distinct c.person_id from public.contacts c where c.tenant_id = scope.tenant_id and c.id = any(contact_ids)));
    update public.course_marks m set done_to = contact_ids[cardinality(contact_ids)] where m.tenant_id = scope.tenant_id and m.seq = scope.seq;
  end if;
  -- There may be more right away.
  return max_marks;
end $$;
