-- The orders that a mark is about.
create function marked_for_attribution(m attribution_marks) returns setof uuid language sql stable
begin atomic
  select o.id from conversions o where o.tenant_id = m.tenant_id and o.id = m.conversion_id
  union
  select o.id
  from contacts c join contacts k on k.tenant_id = c.tenant_id and k.person_id = c.person_id
    join conversions o on o.tenant_id = k.tenant_id and o.contact_id = k.id
  where c.tenant_id = m.tenant_id and c.id = m.contact_id
  union
  select o.id from conversions o where o.tenant_id = m.tenant_id and num_nonnulls(m.conversion_id, m.contact_id) = 0;
end;
