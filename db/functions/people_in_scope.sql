-- The contacts after this id, or all of them, that were assigned in a sequence or in a test of a campaign: at least the first so many; null: all.
create function people_in_scope(tenant uuid, scope uuid, after uuid, most int) returns setof uuid language sql stable
set enable_seqscan = off
begin atomic
  (select a.contact_id from assignments a where a.tenant_id = tenant and a.sequence_id = scope and (after is null or a.contact_id > after) order by a.contact_id limit most)
  union
  (select a.contact_id from variant_assignments a where a.tenant_id = tenant and a.sequence_id = scope and (after is null or a.contact_id > after) order by a.contact_id limit most)
  union
  (select a.contact_id from experiment_assignments a where a.tenant_id = tenant and a.experiment_id = scope and (after is null or a.contact_id > after) order by a.contact_id limit most);
end;
