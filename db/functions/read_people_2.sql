-- These persons: their contacts, each contact's identities, and their latest consent of each kind.
create function read_people_2(person_ids uuid[]) returns jsonb
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  if cardinality(person_ids) = 0 then return '{"contacts": [], "identities": [], "consents": []}'; end if;
  return jsonb_build_object(
    'contacts', coalesce((select jsonb_agg(to_jsonb(c) order by c.id) from contacts c where c.person_id = any(person_ids)), '[]'),
    'identities', coalesce((
      select jsonb_agg(jsonb_build_object('contact_id', c.id, 'person_id', c.person_id, 'kind', i.kind, 'value', i.value) order by c.id)
      from (select o.id, o.person_id from contacts o where o.person_id = any(person_ids) offset 0) c
        cross join lateral (select h.kind, h.value from contact_identities h where h.contact_id = c.id offset 0) i), '[]'),
    'consents', coalesce((
      select jsonb_agg(to_jsonb(said)) from (
        select c.id as contact_id, s.channel, s.state, s.basis, max(s.occurred_at) as latest_at
        from (select o.id from contacts o where o.person_id = any(person_ids) offset 0) c
          cross join lateral (select n.channel, n.state, consent_basis(n.basis, n.source) as basis, n.occurred_at from consents n where n.contact_id = c.id offset 0) s
        group by 1, 2, 3, 4) said), '[]'));
end $$;
