-- The subjects of this tenant whose figures are to be computed anew.
create function subjects_of_marks(tenant uuid) returns setof uuid language sql stable set enable_seqscan = off
begin atomic
  select coalesce(m.subject_id, e.subject_id)
  from course_marks m
    left join messages k on k.tenant_id = tenant and k.id = m.message_id
    left join enrollments e on e.tenant_id = tenant and e.id = coalesce(m.enrollment_id, k.enrollment_id)
  where m.tenant_id = tenant and coalesce(m.subject_id, e.subject_id) is not null
  union
  select s.id from subjects s
  where s.tenant_id = tenant
    and exists (select from course_marks m where m.tenant_id = tenant and num_nonnulls(m.subject_id, m.enrollment_id, m.message_id, m.contact_id, m.account_id, m.scope_id) = 0);
end;
