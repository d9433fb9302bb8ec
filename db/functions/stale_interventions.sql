-- The accounts of this tenant of which an intervention may count for something else by now than what it is in the sums with. Other subjects may be among them.
-- Source: docs/adr/0126-what-interventions-count-for-is-kept.md
create function stale_interventions(tenant uuid, judged_by text, at timestamptz) returns setof uuid language sql stable set enable_seqscan = off
begin atomic
  select m.id from subjects_of_marks(tenant) m(id)
  union
  select c.account_id from course_marks c where c.tenant_id = tenant and c.account_id is not null
  union
  select i.account_id from intervention_marks i where i.tenant_id = tenant and i.account_id is not null
  union
  select f.account_id from intervention_figures f where f.tenant_id = tenant and f.changes_at <= at
  union
  select f.account_id from intervention_figures f where f.tenant_id = tenant and (f.basis < judged_by or f.basis > judged_by);
end;
