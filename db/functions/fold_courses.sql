-- Compute the figures of up to so many marked subjects' changes anew and move the difference into the sums; returns how many marks were done, 0 also while another process
-- folds. A change and its mark are committed together: what this does not see yet is marked again. SECURITY DEFINER: it spans tenants, and the application may not
-- write sums. Source: docs/adr/0110-what-became-of-people-is-kept.md
create function fold_courses(max_marks int) returns int language plpgsql security definer
set search_path = pg_catalog, public set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  taken public.course_marks[]; store record;
begin
  if not pg_try_advisory_xact_lock(hashtext('rekindle.courses')) then return 0; end if;
  -- All subjects of a store are done a part at a time: they may be many.
  with whole as (
    delete from public.course_marks m where num_nonnulls(m.subject_id, m.enrollment_id, m.message_id) = 0 returning m.tenant_id)
  insert into public.course_marks (tenant_id, subject_id)
  select s.tenant_id, s.id from public.subjects s where s.tenant_id in (select w.tenant_id from whole w);
  with gone as (
    delete from public.course_marks m where m.ctid = any(array(select f.ctid from public.course_marks f order by f.tenant_id, f.seq limit max_marks)) returning m)
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
  return coalesce(cardinality(taken), 0);
end $$;
